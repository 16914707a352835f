"""Whether a backup is usable: restored on a server of ours, looked at, compared with before."""
