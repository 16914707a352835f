"""Trials: a failure made to happen, a recovery tried on it, and the verdict from the record."""
