"""The rules that decide for the house."""
