"""Signed statements about matrices and policies, and the keys that are trusted for them. Pure."""
