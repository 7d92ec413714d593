"""Forwarding of a meter's readings to context brokers: NGSI-v2 and NGSI-LD.

Pure, without Home Assistant's runtime, network or disk: `names`, `sample`, `derived`,
`models`, `wiring`, `supply_events`, `mapping`, `groups`, `retry`, `downsampling`, `errors`.
Disk (SQLite, blocking): `rescue`, `spool_file`, `retention`, `spool`, `write_buffer`.
Network (aiohttp): `answers`, `auth`, `http`, `broker`, `subscription`,
`history_check`.
`delivery_queue` and `forwarder` move samples from the spool to a broker; they know
neither a meter nor Home Assistant, which `environment` stands for.
Home Assistant: `sampler`, `settings`, `issues`, `manager`, `sensor`, `services`,
`repairs`.

A reading's way: meter -> `sampler` -> `write_buffer` -> `spool` -> `delivery_queue` ->
`mapping` -> `broker`.
"""
