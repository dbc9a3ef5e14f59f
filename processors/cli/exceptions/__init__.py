"""Commands about exceptions."""
