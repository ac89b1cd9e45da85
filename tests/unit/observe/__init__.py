"""Tests of podnet: unit/observe."""
