"""From the plan to command lines: the only place that writes shell. Pure; every value from the config is quoted."""
