"""The whole chain with real processes: firmware, Home Assistant, and a browser.

They start real servers, so they run without the plug-in that forbids that:
`pytest tests/end_to_end -p no:homeassistant -n 5 --dist loadgroup`.
"""
