"""Tests of podnet: unit/render."""
