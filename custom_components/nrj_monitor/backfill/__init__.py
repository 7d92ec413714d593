"""Backfill of missed hours: journal records become recorder statistics."""
