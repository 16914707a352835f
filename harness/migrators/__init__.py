"""Who sends the migration: one kind of tool per file, run in a process of its own."""
