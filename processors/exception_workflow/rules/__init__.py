"""What may happen to an exception: pure functions over its case."""
