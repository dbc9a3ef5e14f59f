"""Delivers events to platforms, mail servers and chat rooms: at least once, the same id and bytes at every try."""
