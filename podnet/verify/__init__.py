"""What must hold of a pod network, what was seen of it, and the verdict. Pure, but for the agent, which runs inside."""
