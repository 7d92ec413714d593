"""The meter in the preferences of the energy dashboard."""
