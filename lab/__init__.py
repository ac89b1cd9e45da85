"""What podnet runs with and does not import: the stand-in for Pulumi's command provider."""
