"""Backfill of missed hours: pure rules, and a real recorder."""
