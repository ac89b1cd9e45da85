"""From the output of commands to values. Pure; what is malformed is refused, never guessed."""
