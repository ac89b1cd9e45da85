"""Tests of podnet: unit/commands."""
