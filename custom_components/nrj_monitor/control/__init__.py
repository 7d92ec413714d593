"""What is decided for the house, as pure rules: time and samples are arguments.

Nothing in this package knows Home Assistant.
"""
