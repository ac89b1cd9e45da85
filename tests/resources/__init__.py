"""Tests of the graph of resources."""
