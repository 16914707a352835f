"""Dumps of the user's own: what their files tell, and how they are restored."""
