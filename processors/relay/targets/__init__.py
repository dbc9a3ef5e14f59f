"""The kinds of targets. Each is a file that makes a body of an event, and one that sends a body."""
