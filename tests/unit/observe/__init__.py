"""Mirrors podnet.observe."""
