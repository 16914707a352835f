"""A rollback run as texts and tables; one file a format."""
