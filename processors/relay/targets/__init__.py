"""The kinds of targets. Each has a module that builds the body of an event, or one that sends it."""
