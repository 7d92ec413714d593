"""What a release consists of: its version, its notes, firmware images, the integration's zip, the flashing page."""
