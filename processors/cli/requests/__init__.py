"""Commands that ask, and show what was answered."""
