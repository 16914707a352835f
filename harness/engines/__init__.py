"""One folder per database engine, each holding one value ``ENGINE``; see ``README.md`` here."""
