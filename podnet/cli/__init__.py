"""The command line: ``python -m podnet``."""
