"""Commands about security policies."""
