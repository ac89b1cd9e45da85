"""Tests of podnet: unit/verify."""
