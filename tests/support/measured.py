"""The catalog's channels measured by the firmware of this repository."""

from custom_components.nrj_monitor.catalog import CHANNELS

ORDERS = (3, 5, 7, 9, 11, 13)
"""Of the harmonics those that a house has; any other can be added in YAML."""

MEASURED = {
    channel.id: channel
    for channel in CHANNELS.values()
    if channel.quantity.order in (None, *ORDERS)
}
