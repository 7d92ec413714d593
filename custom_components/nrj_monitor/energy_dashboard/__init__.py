"""The meter in the preferences of the energy dashboard.

`preferences` is pure, without Home Assistant: rules over the sources of the preferences.
`dashboard` reads and writes the preferences.
"""
