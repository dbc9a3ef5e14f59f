"""Logs, metrics and what a process tells of itself."""
