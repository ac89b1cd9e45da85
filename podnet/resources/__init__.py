"""The plan as Pulumi resources: one component a noun. Only here, and in podnet.stack, is Pulumi imported."""
