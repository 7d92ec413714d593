"""Load control of a house, as pure rules: time and samples are arguments.

Nothing in this package knows Home Assistant.
"""
