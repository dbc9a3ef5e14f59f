"""An exception as stored in the changelog."""
