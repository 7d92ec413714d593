"""Events of the supply: dips, swells, interruptions, and their waveforms.

All modules are pure, without Home Assistant.
"""
