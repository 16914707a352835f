"""What holds a statement while it runs: a lock taken by another session, never the clock."""
