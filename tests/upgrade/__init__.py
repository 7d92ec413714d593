"""Upgrades: files stored by earlier versions, opened by the current version."""
