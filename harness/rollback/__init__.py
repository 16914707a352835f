"""Where every way down of a folder leads: executed, and foretold from the SQL alone."""
