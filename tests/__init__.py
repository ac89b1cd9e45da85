"""Tests of podnet."""
