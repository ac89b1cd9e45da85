"""Tests of podnet: property."""
