"""Tests of podnet: unit/cli."""
