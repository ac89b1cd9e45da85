"""Tests that need more than this process: the Pulumi engine, a plugin, an SSH server."""
