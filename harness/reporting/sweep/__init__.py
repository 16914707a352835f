"""What a sweep is shown as."""
