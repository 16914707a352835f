"""What a database holds, and how that differs from what it, or another one, held."""
