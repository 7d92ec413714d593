"""Tests that build the real firmware and drive it."""
