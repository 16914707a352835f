"""Whether backups are usable, one renderer a format."""
