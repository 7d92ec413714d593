"""Benchmarks of the meter: accuracy and cost, against independent truth."""
