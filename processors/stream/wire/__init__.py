"""Bytes on a topic: schemas, the codec, headers, partitions."""
