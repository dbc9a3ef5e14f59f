"""Authentication and authorisation: bearer tokens, their keys, and roles by positive match."""
