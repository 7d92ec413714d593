"""Build the real firmware and drive the meter."""
