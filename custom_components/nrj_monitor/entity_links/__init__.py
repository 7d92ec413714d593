"""Entities of other integrations that are in use here: followed, and missed when gone."""
