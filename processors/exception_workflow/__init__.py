"""Exceptions: requested, approved with proof, run under monitoring. README.md tells the life of one."""
