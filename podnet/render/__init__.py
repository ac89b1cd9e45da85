"""From the plan to text: the files that machines and nodes get. Pure."""
