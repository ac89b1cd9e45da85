"""What happens on bad days: each row of the README's table of faults, on real boxes."""
