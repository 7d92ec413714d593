"""Questions about the supply, asked of Assist and of language models."""
