"""The client library of the guard: ask, follow, exceptions, matrix, policies."""
