"""Does a decision carry its proof: signatures, keys, claims."""
