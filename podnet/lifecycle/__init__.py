"""A stack on this machine, from a bare host to a verified cluster and back: Pulumi's engine, and what it needs."""
