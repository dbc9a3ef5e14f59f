"""What is sent over HTTP goes from here: to places that are configured, and to the addresses that they may have."""
