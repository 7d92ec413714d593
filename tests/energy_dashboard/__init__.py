"""The meter in the energy dashboard: rules, actions and the offer at set-up."""
