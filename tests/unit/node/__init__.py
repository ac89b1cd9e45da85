"""Tests of podnet: unit/node."""
