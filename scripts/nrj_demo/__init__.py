"""Demo: a real Home Assistant with a simulated meter."""
