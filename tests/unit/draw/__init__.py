"""Tests of podnet: unit/draw."""
