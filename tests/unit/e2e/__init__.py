"""What the tests on real boxes compare with."""
