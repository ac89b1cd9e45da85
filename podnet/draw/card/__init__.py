"""A machine's card, from top to bottom in the order that a packet of its pods passes it: one part a module."""
