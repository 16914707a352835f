"""What a sweep found, one format a file; computes nothing."""
