"""A throwaway server of ours: proven by its guard, watched, asked, restarted, removed."""
