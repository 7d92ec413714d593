"""Benchmarks, a file each: the docstring's first line is the help, `main` runs the benchmark."""
