"""Asks a platform for the security status of the plugins in the matrix, and puts the policies in force."""
