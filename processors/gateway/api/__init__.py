"""The resources of the gateway, one module each."""
