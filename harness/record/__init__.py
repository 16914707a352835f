"""What happened, and where it lies: the append-only record of a run, and its folder."""
