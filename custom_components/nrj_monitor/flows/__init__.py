"""The dialogues by source of readings, one file each; config_flow.py puts them together."""
