"""Tests of podnet: unit."""
