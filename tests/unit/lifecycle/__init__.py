"""Tests of podnet: unit/lifecycle."""
