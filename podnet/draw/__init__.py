"""The picture of the pod network: from the plan, and from what a verification saw. Pure."""
