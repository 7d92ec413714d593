"""Hostile inputs: whatever is sent or stored, the promises hold.

scripts/bench attack runs many more of them than the test command does.
"""
