"""Backfill of missed hours: journal records become recorder statistics.

Pure, without Home Assistant: `journal`, `journal_download`, `timeline`, `boot_clock`,
`clock_trust`, `reading_gaps`, `plan`, `running_sum`, `replacement` and `samples`. Bound
to Home Assistant: `manager`, `fill_gaps`, `statistics`, `sum_keeper`, `replaced_meter`
and `services`.
"""
