"""Every crash point of a user's own migrations: what is left, and what heals it."""
