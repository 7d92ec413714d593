"""Issues of a meter in the issue registry.

`checks` is pure: rules over facts, without Home Assistant. `monitor` gathers the facts and
keeps the issues.
"""
