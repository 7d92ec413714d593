"""Files of the repository: manifest, docs, scripts and published files."""
