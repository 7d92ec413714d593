"""The parts of a release: its version, its notes, firmware images, the integration's zip, the flashing page."""
