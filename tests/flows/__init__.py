"""The dialogues: set-up, discovery, options, encryption keys."""
