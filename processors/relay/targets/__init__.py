"""The kinds of targets. Each has a function that builds the body of an event, and a Sender."""
