"""What podnet does on the host."""
