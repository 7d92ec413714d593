"""Messages of makers, as mappings: what their meters publish, by quantity."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from ..catalog import Phase

type Lines = tuple[tuple[str, Any], ...]

_PHASES: Final = tuple(
    {"n": str(number), "i": str(number - 1), "a": letter, "l": phase.lower()}
    for number, letter, phase in zip((1, 2, 3), "abc", Phase, strict=True)
)
"""Names of a phase within paths: its number, its index, its letter, and l1 to l3."""


def _filled(rule: Any, names: Mapping[str, str]) -> Any:
    """Return a rule with the names of a phase in its texts."""
    if isinstance(rule, str):
        for key, name in names.items():
            rule = rule.replace(f"<{key}>", name)
        return rule
    if isinstance(rule, dict):
        return {key: _filled(value, names) for key, value in rule.items()}
    if isinstance(rule, list):
        return [_filled(value, names) for value in rule]
    return rule


def _each(*lines: tuple[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield lines for each phase."""
    for quantity, rule in lines:
        for names in _PHASES:
            yield f"{quantity}_{names['l']}", _filled(rule, names)


def _shelly_gen1() -> Iterator[tuple[str, Any]]:
    # "energy" and "returned_energy" are in watt-minutes and begin anew; the totals do not.
    yield from _each(
        ("voltage", {"topic": "emeter/<i>/voltage"}),
        ("current", {"topic": "emeter/<i>/current"}),
        ("active_power", {"topic": "emeter/<i>/power"}),
        ("reactive_power", {"topic": "emeter/<i>/reactive_power"}),
        ("power_factor", {"topic": "emeter/<i>/pf"}),
        ("import_energy", {"topic": "emeter/<i>/total", "factor": 0.001}),
        ("export_energy", {"topic": "emeter/<i>/total_returned", "factor": 0.001}),
    )


def _shelly() -> Iterator[tuple[str, Any]]:
    # In notifications, in answers, and alone on status/em:0 and the like.
    for base in ("params.em:0.", "em:0.", "result.em:0.", ""):
        yield from _each(
            ("voltage", f"{base}<a>_voltage"),
            ("current", f"{base}<a>_current"),
            ("active_power", f"{base}<a>_act_power"),
            ("apparent_power", f"{base}<a>_aprt_power"),
            ("power_factor", f"{base}<a>_pf"),
            ("frequency", f"{base}<a>_freq"),
        )
        yield "frequency", f"{base}a_freq"
        yield "active_power", f"{base}total_act_power"
        yield "apparent_power", f"{base}total_aprt_power"
        yield "neutral_current", f"{base}n_current"
    for base in ("params.emdata:0.", "emdata:0.", "result.emdata:0.", ""):
        yield from _each(
            ("import_energy", {"path": f"{base}<a>_total_act_energy", "factor": 0.001}),
            (
                "export_energy",
                {"path": f"{base}<a>_total_act_ret_energy", "factor": 0.001},
            ),
        )
        yield "import_energy", {"path": f"{base}total_act", "factor": 0.001}
        yield "export_energy", {"path": f"{base}total_act_ret", "factor": 0.001}
    for part, lines in _SHELLY_EM1.items():
        for base in (f"params.{part}:<i>.", f"{part}:<i>.", f"result.{part}:<i>."):
            yield from _each(
                *(
                    (quantity, {"path": base + name, "factor": factor})
                    for quantity, name, factor in lines
                )
            )
        yield from _each(
            *(
                (
                    quantity,
                    {"topic": f"status/{part}:<i>", "path": name, "factor": factor},
                )
                for quantity, name, factor in lines
            )
        )


_SHELLY_EM1: Final = MappingProxyType(
    {
        "em1": (
            ("voltage", "voltage", 1),
            ("current", "current", 1),
            ("active_power", "act_power", 1),
            ("apparent_power", "aprt_power", 1),
            ("power_factor", "pf", 1),
            ("frequency", "freq", 1),
        ),
        "em1data": (
            ("import_energy", "total_act_energy", 0.001),
            ("export_energy", "total_act_ret_energy", 0.001),
        ),
    }
)


def _tasmota_energy() -> Iterator[tuple[str, Any]]:
    for base in ("ENERGY", "StatusSNS.ENERGY"):
        yield from _each(
            ("voltage", f"{base}.Voltage.<i>"),
            ("current", f"{base}.Current.<i>"),
            ("active_power", f"{base}.Power.<i>"),
            ("reactive_power", f"{base}.ReactivePower.<i>"),
            ("apparent_power", f"{base}.ApparentPower.<i>"),
            ("power_factor", f"{base}.Factor.<i>"),
            ("frequency", f"{base}.Frequency.<i>"),
            ("import_energy", f"{base}.Total.<i>"),
            ("export_energy", f"{base}.ExportActive.<i>"),
        )
        # With one phase they are numbers.
        yield "voltage_l1", f"{base}.Voltage"
        yield "current_l1", f"{base}.Current"
        yield "active_power", f"{base}.Power"
        yield "reactive_power", f"{base}.ReactivePower"
        yield "apparent_power", f"{base}.ApparentPower"
        yield "power_factor", f"{base}.Factor"
        yield "frequency", f"{base}.Frequency"
        yield "import_energy", f"{base}.Total"
        yield "export_energy", f"{base}.ExportActive"


_SML_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "import_energy": ("Total_in", "total_in", "E_in", "energy_in", "1_8_0"),
        "export_energy": ("Total_out", "total_out", "E_out", "energy_out", "2_8_0"),
        "active_power": (
            "Power_curr",
            "power_curr",
            "Power_cur",
            "Power_total",
            "Power",
            "power",
            "16_7_0",
        ),
        "frequency": ("Freq", "freq", "frequency", "HZ", "14_7_0"),
    }
)
"""Names that readers' scripts give to the values of a German or Austrian meter."""

_SML_PHASES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "voltage": ("voltage_l<n>", "Voltage_L<n>", "volt_p<n>", "Volt_p<n>"),
        "current": ("current_l<n>", "Current_L<n>", "amp_p<n>", "Amp_p<n>"),
        "active_power": ("power_l<n>", "Power_L<n>", "watt_p<n>", "Power_p<n>"),
    }
)


def _tasmota_sml() -> Iterator[tuple[str, Any]]:
    # The script chooses the name of the group: SML, E320, MT175.
    for base in ("SML", "*", "StatusSNS.*"):
        yield (
            "active_power",
            {"import": f"{base}.Power_in", "export": f"{base}.Power_out"},
        )
        for quantity, names in _SML_NAMES.items():
            for name in names:
                yield quantity, f"{base}.{name}"
        for quantity, names in _SML_PHASES.items():
            for name in names:
                yield from _each((quantity, f"{base}.{name}"))


def _em24() -> Iterator[tuple[str, Any]]:
    for base in ("EM24", "StatusSNS.EM24"):
        yield from _each(
            ("voltage", f"{base}.Voltage_L<n>"),
            ("current", f"{base}.Current_L<n>"),
            ("active_power", f"{base}.Power_L<n>"),
            ("apparent_power", f"{base}.Power_va_L<n>"),
            ("reactive_power", f"{base}.Power_var_L<n>"),
            ("power_factor", f"{base}.Power_factor_L<n>"),
        )
        yield "frequency", f"{base}.Frequency"
        yield "import_energy", f"{base}.Energy_Tot_Import"
        yield "export_energy", f"{base}.Energy_Tot_Export"


def _ams_reader() -> Iterator[tuple[str, Any]]:
    for base in ("data.", ""):
        yield "active_power", {"import": f"{base}P", "export": f"{base}PO"}
        yield "reactive_power", {"import": f"{base}Q", "export": f"{base}QO"}
        yield "import_energy", f"{base}tPI"
        yield "export_energy", f"{base}tPO"
        yield from _each(
            ("voltage", f"{base}U<n>"),
            ("current", f"{base}I<n>"),
            ("active_power", {"import": f"{base}P<n>", "export": f"{base}PO<n>"}),
            ("power_factor", f"{base}PF<n>"),
        )
    for quantity, kind in (("active_power", "active"), ("reactive_power", "reactive")):
        yield (
            quantity,
            {
                "import": {"topic": f"meter/import/{kind}"},
                "export": {"topic": f"meter/export/{kind}"},
            },
        )
    yield "import_energy", {"topic": "meter/import/active/accumulated"}
    yield "export_energy", {"topic": "meter/export/active/accumulated"}
    yield from _each(
        ("voltage", {"topic": "meter/l<n>/voltage"}),
        ("current", {"topic": "meter/l<n>/current"}),
        ("power_factor", {"topic": "meter/l<n>/powerfactor"}),
        (
            "active_power",
            {
                "import": {"topic": "meter/import/l<n>"},
                "export": {"topic": "meter/export/l<n>"},
            },
        ),
    )


def _dsmr_reader() -> Iterator[tuple[str, Any]]:
    def both(rule: Any) -> Iterator[Any]:
        """Yield a rule of names as one of JSON and as one of topics."""
        yield rule

        def topics(value: Any) -> Any:
            if isinstance(value, str):
                return {"topic": value}
            if isinstance(value, list):
                return [topics(one) for one in value]
            return value

        yield {key: topics(value) for key, value in rule.items()}

    power = {
        "import": "electricity_currently_delivered",
        "export": "electricity_currently_returned",
        "factor": 1000,
    }
    for rule in both(power):
        yield "active_power", rule
    for quantity, name in (("import", "delivered"), ("export", "returned")):
        sums = {"path": [f"electricity_{name}_1", f"electricity_{name}_2"]}
        for rule in both(sums):
            yield f"{quantity}_energy", rule
    phase = {
        "import": "phase_currently_delivered_<l>",
        "export": "phase_currently_returned_<l>",
        "factor": 1000,
    }
    for rule in both(phase):
        yield from _each(("active_power", rule))
    for rule in both({"path": "phase_voltage_<l>"}):
        yield from _each(("voltage", rule))
    for rule in both({"path": "phase_power_current_<l>"}):
        yield from _each(("current", rule))


_ESPHOME_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "voltage": ("voltage",),
        "current": ("current",),
        "active_power": ("power", "active_power"),
        "reactive_power": ("reactive_power",),
        "apparent_power": ("apparent_power",),
        "power_factor": ("power_factor",),
        "frequency": ("frequency",),
        "import_energy": (
            "import_energy",
            "import_active_energy",
            "forward_active_energy",
            "energy",
        ),
        "export_energy": (
            "export_energy",
            "export_active_energy",
            "reverse_active_energy",
        ),
    }
)
"""Names of sensors in ESPHome's own examples, in the units its documents give."""


def _esphome() -> Iterator[tuple[str, Any]]:
    def topic(name: str) -> dict[str, str]:
        return {"topic": f"sensor/{name}/state"}

    for place in ("", "_<l>"):
        pair = {
            "import": topic(f"power_delivered{place}"),
            "export": topic(f"power_returned{place}"),
            "factor": 1000,
        }
        if place:
            yield from _each(("active_power", pair))
        else:
            yield "active_power", pair
    for quantity, name in (("import", "delivered"), ("export", "returned")):
        yield (
            f"{quantity}_energy",
            {
                "path": [
                    topic(f"energy_{name}_tariff1"),
                    topic(f"energy_{name}_tariff2"),
                ]
            },
        )
    for quantity, names in _ESPHOME_NAMES.items():
        for name in names:
            for form in ("%s_<l>", "<l>_%s", "phase_<a>_%s", "%s_phase_<a>"):
                yield from _each((quantity, topic(form % name)))
            if quantity in ("voltage", "current"):
                yield f"{quantity}_l1", topic(name)
            else:
                yield quantity, topic(name)
                yield quantity, topic(f"total_{name}")


def _go_e() -> Iterator[tuple[str, Any]]:
    for names in _PHASES:
        index = int(names["i"])
        for quantity, first, factor in (
            ("voltage", 0, 1),
            ("current", 4, 1),
            ("active_power", 7, 1),
            ("power_factor", 12, 0.01),
        ):
            place = str(first + index)
            channel = f"{quantity}_{names['l']}"
            yield channel, {"path": f"nrg.{place}", "factor": factor}
            yield channel, {"topic": "nrg", "path": place, "factor": factor}
    yield "active_power", "nrg.11"
    yield "active_power", {"topic": "nrg", "path": "11"}
    yield "import_energy", {"path": "eto", "factor": 0.001}
    yield "import_energy", {"topic": "eto", "factor": 0.001}
    yield "frequency", "fhz"
    yield "frequency", {"topic": "fhz"}


def _opendtu() -> Iterator[tuple[str, Any]]:
    # An inverter feeds; channel 0 is its connection to the grid, the others are panels.
    yield "active_power", {"topic": "0/power", "factor": -1}
    yield "active_power", {"topic": "ac/power", "factor": -1}
    yield "reactive_power", {"topic": "0/reactivepower", "factor": -1}
    yield "power_factor", {"topic": "0/powerfactor"}
    yield "frequency", {"topic": "0/frequency"}
    yield "export_energy", {"topic": "0/yieldtotal"}
    yield "export_energy", {"topic": "ac/yieldtotal"}
    yield "voltage_l1", {"topic": "0/voltage"}
    yield "current_l1", {"topic": "0/current"}
    yield from _each(
        ("voltage", {"topic": "0/voltage ph<n>-n"}),
        ("current", {"topic": "0/current ph<n>"}),
    )


MAKES: Final[Mapping[str, Lines]] = MappingProxyType(
    {
        "shelly": tuple(_shelly()),
        "shelly_gen1": tuple(_shelly_gen1()),
        "tasmota_energy": tuple(_tasmota_energy()),
        "tasmota_sml": tuple(_tasmota_sml()),
        "em24": tuple(_em24()),
        "ams_reader": tuple(_ams_reader()),
        "dsmr_reader": tuple(_dsmr_reader()),
        "esphome": tuple(_esphome()),
        "go_e": tuple(_go_e()),
        "opendtu": tuple(_opendtu()),
    }
)
"""Lines of a mapping by make; of several for a quantity the first with a value counts."""

HOURLY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"ams_reader": ("import_energy", "export_energy")}
)
"""Quantities that a make tells once an hour, too seldom to wait for."""

ONCE_A_MINUTE: Final = frozenset({"shelly"})
"""Makes that tell their energy once a minute, seconds after the power."""
