"""Who may say what: signed statements about matrices and policies, and the keys that vouch for them. Pure."""
