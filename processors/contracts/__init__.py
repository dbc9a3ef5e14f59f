"""What the processors agree on: topics and schemas, whether they are sound, what a cluster lacks of them. Pure."""
