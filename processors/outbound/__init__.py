"""Sends HTTP requests: only to configured endpoints, and only to their allowed addresses."""
