"""Changes of every kind of object, and what a snapshot must say of each: that, and nothing else."""
