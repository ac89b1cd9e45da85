"""Tests of podnet: unit/parse."""
