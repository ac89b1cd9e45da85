"""The benchmark, as far as it needs no boxes."""
