"""Where source, mapping and store meet: read, decide, publish."""
