"""Keeps an NGSI entity of a meter in a context broker: mapping, spool, client, forwarder.

`names`, `sample`, `derived`, `models`, `mapping`, `retry`, `thinning` and `spool` know
neither Home Assistant nor a network. `client` and its siblings know one wire format each.
`forwarder` moves samples from the spool to a broker; `binding` ties it to a meter.
"""
