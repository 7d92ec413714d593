"""Benchmarks, one file each: the docstring's first line is its help, `main` runs it."""
