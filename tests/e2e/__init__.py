"""Tests on real boxes."""
