"""Exceptions: requested, approved with proof, used under monitoring. README.md describes the life of one."""
