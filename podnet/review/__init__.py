"""What a change of the config means, in words and pictures, for whoever reviews it. Pure."""
