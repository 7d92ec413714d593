"""Entity ids in stored data are found and changed wherever they stand."""

from custom_components.nrj_monitor.entity_links.references import entities_in, renamed

DATA = {
    "readings": {
        "active_power_l1": {"entity_id": "sensor.a", "subtracted": "sensor.b"},
        "import_energy": {"entity_id": ["sensor.c", "sensor.a"], "inverted": False},
    },
    "entity": "switch.heater",
    "class": "sensor.a",
}
FIELDS = ("readings", "entity", "missing")


def test_every_entity_is_found_once() -> None:
    """Lists and nested fields are looked into, other fields are not."""
    assert entities_in(DATA, FIELDS) == (
        "sensor.a",
        "sensor.b",
        "sensor.c",
        "switch.heater",
    )


def test_new_names_replace_the_old_ones_together() -> None:
    """Two entities may have exchanged their names; what is no entity stays."""
    names = {"sensor.a": "sensor.b", "sensor.b": "sensor.a"}
    changed = renamed(DATA, FIELDS, names)
    assert changed["readings"] == {
        "active_power_l1": {"entity_id": "sensor.b", "subtracted": "sensor.a"},
        "import_energy": {"entity_id": ["sensor.c", "sensor.b"], "inverted": False},
    }
    assert (changed["entity"], changed["class"]) == ("switch.heater", "sensor.a")
