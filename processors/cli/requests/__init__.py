"""Commands that ask the guard and show answers."""
