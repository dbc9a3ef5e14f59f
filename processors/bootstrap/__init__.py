"""Builds clients, processors, keys and the supervisor from settings."""
