"""Events of the supply: dips, swells, interruptions, and their waveforms."""
