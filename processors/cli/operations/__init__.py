"""Commands for whoever operates the guard."""
