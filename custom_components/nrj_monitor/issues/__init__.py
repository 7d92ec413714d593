"""Issues of a meter in the issue registry.

`checks` and `wiring` are pure, without Home Assistant: rules over facts. `monitor` gathers the facts and
keeps the issues.
"""
