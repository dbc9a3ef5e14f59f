"""Kafka clients: readers to the end, followers, producers that await delivery."""
