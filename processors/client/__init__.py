"""What any program needs that talks to the guard: ask, follow, exceptions, matrix, policies."""
