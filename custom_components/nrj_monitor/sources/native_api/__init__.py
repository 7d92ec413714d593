"""Readings over ESPHome's native API.

Only client.py (calls and errors) and device_model.py (entities and states) import
aioesphomeapi, whose API moves with every release of Home Assistant; a test watches that
nothing else of the integration does.
"""
