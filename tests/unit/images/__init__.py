"""Tests of podnet: unit/images."""
