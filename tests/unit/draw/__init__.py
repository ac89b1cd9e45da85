"""Tests of podnet.draw."""
