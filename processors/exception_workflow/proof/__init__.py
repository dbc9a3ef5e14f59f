"""Verifies the proof of a decision: signatures, keys, claims."""
