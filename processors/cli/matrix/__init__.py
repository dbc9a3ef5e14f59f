"""Commands about the compatibility matrix."""
