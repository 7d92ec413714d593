"""The documents: commands and examples in them, and tables that repeat the code."""
