"""Backfill of missed hours: journal records become recorder statistics.

Pure, without Home Assistant: `journal`, `timeline`, `boot_clock`, `reading_gaps`, `plan` and
`samples`. Bound to Home Assistant: `manager`, `fill_gaps`, `statistics` and `services`.
"""
