"""The firmware's own guard, built for this machine and fed from a test."""

from nrj_replay.firmware_guard import Change, firmware_changes

__all__ = ["Change", "firmware_changes"]
