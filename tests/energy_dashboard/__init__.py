"""The meter in the energy dashboard."""
