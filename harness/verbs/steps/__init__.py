"""What a recovery procedure may do: one verb per file, file name = the word in the YAML."""
