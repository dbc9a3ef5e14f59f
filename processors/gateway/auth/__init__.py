"""Who asks, and what they may: bearer tokens, the keys that they are signed with, and roles by positive match."""
