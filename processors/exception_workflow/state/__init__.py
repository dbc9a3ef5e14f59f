"""An exception as the changelog has it."""
