"""Tests of podnet: browser."""
