"""Files of the repository: manifest, docs, scripts and what is published."""
