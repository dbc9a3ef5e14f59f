"""Logs, metrics, and settings of the garbage collector."""
