"""Asks a platform what its security says of the plugins in the matrix, and puts that in force."""
