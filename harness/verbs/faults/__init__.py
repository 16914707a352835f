"""What strikes: one fault per file, file name = the word in the YAML."""
