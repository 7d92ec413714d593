"""Upgrades: what an earlier version stored, opened by this one."""
