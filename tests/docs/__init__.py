"""Check the documents: their commands and examples, and the tables repeated from the code."""
