"""Who may say what: signed statements about matrices, and the keys that vouch for them. Pure."""
