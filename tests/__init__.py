"""Tests of podnet and of its lab."""
