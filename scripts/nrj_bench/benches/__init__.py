"""One file a benchmark: its docstring's first line says what, `main(arguments)` runs it."""
