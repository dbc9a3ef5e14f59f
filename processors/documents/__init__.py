"""Strict readers of YAML, JSON and XML, with limits and errors that name the line."""
