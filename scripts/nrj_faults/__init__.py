"""Faults on purpose: a real firmware and a real recorder through outages, in simulated time."""
