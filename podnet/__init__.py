"""podnet: a routed pod network on real machines, planned, built, proved and drawn."""
