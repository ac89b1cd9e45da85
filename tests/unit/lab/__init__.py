"""Tests of podnet: unit/lab."""
