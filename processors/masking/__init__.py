"""What may be stored or logged of an event."""
