"""What the entities of a device measure, by device class, unit and name. Pure rules.

The words are those of the keys of Home Assistant's integrations, of ESPHome's and
Tasmota's names, and of meters that speak French, German or Dutch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
import re
from typing import Final

from ..catalog import Phase

RETURNED: Final = "active_power_returned"
"""Field of the power fed to the grid, positive, of meters that tell it apart."""

FIELDS: Final[Mapping[str, str]] = {
    "voltage": "voltage",
    "current": "current",
    "active_power": "power",
    "reactive_power": "reactive_power",
    "apparent_power": "apparent_power",
    "power_factor": "power_factor",
    "frequency": "frequency",
    "import_energy": "energy",
}
"""Field by the device class of its entities. Words tell what is fed from what is drawn."""

FED: Final = {"active_power": RETURNED, "import_energy": "export_energy"}
"""Field of what is fed to the grid, by the field of what is drawn."""

ENERGIES: Final = frozenset({"import_energy", "export_energy"})
"""Fields of several entities, whose values are summed."""

CLASS_OF_UNIT: Final[Mapping[str, str]] = {
    "V": "voltage",
    "A": "current",
    "W": "power",
    "kW": "power",
    "var": "reactive_power",
    "VA": "apparent_power",
    "Hz": "frequency",
    "Wh": "energy",
    "kWh": "energy",
    "MWh": "energy",
}
"""Device class of an entity that has none, by its unit."""

_OF_THE_GRID: Final = frozenset({"metering", "grid", "smartmeter"})
"""Words of the measurement at the grid, where a device measures elsewhere too."""

_OF_ALL: Final = frozenset({"total", "lifetime", "sum", "tot", "totaal", "gesamt"})

_ELSEWHERE: Final = frozenset(
    {
        *("pv", "dc", "mppt", "string", "optimizer", "solar", "panel", "battery"),
        *("storage", "charge", "discharge", "charging", "discharging", "sps"),
        *("insulation", "residual", "neutral", "n", "house", "load", "generator"),
        *("chip", "gas", "heat", "water"),
    }
)
"""Words of what is not the supply."""

_DERIVED: Final = frozenset(
    {
        *("threshold", "limit", "max", "min", "maximum", "minimum", "average"),
        *("avg", "demand", "peak", "setpoint", "target", "today", "day", "daily"),
        *("yesterday", "week", "weekly", "month", "monthly", "year", "yearly"),
        *("annual", "hour", "hourly", "last", "forecast", "estimated", "cost"),
        *("price", "net", "netto", "combined", "balance", "balanced"),
        *("unbalance", "thd", "harmonic", "nominal", "rated", "calibration"),
        *("reset", "fundamental"),
    }
)
"""Words of what is not a reading of now, or not a counter that only rises."""

_HARMLESS: Final[Mapping[str, frozenset[str]]] = {
    "frequency": frozenset({"average", "avg"}),
    "energy": frozenset({"peak"}),
}
"""Words that are no reason to leave out an entity of a device class."""

_DRAWN: Final = (
    *("import", "imported", "absorbed", "draw", "drawn", "forward", "used"),
    *(
        "consumed",
        "positive",
        "purchased",
        "bought",
        "usage",
        "use",
        "in",
        "pos",
        "plus",
    ),
    *("soutiree", "soutirage", "bezug", "afname", "verbruik", "consumption"),
)
"""Words of what is drawn from the grid, the clearest first."""

_FED: Final = (
    *("export", "exported", "returned", "return", "ret", "reverse", "feed", "fed"),
    *("feedin", "negative", "produced", "production", "supplied", "yield", "injected"),
    *("injectee", "injection", "einspeisung", "teruglevering", "sold", "out", "neg"),
    *("minus", "po"),
)
"""Words of what is fed to the grid, the clearest first."""

_TAKEN_EITHER_WAY: Final = frozenset({"delivered", "delivery"})
"""Words that some take for *to the client*, others for *by the client*."""

_RETURNED: Final = frozenset({"returned", "return", "ret", "po"})
"""Words of what is fed beside what is drawn, or beside what is delivered to the client."""

_TARIFF: Final = re.compile(
    r"(?:^| )(?:t|tariff?|tarif|delivered|returned) ?([1-9])(?: |$)"
    r"|(?:^| )(low|high|normal|off ?peak|peak|dal|laag|hoog|hc|hp|nt|ht)(?: |$)"
)
_NAMED_PHASE: Final = re.compile(
    r"(?:^| )(?:l|phase ?|fase ?|leg ?|line ?)([1-3a-c])(?: |$)|(?:^| )phase([a-c1-3])"
)
_BETWEEN_PHASES: Final = re.compile(
    r"phase to phase|line to line|phase phase|(?:^| )l[1-3] ?l[1-3](?: |$)"
    r"|(?:^| )l ?(?:12|23|31)(?: |$)"
)
_LETTER: Final = re.compile(r"(?:^| )([abc])(?= |$)")
_NUMBER: Final = re.compile(
    r"(?:^| )(?:ch|ct|channel|input|emeter|em1|em1data|clamp|power|voltage|current"
    r"|energy|watts|volts|amps)? ?([0-3])(?= |$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEntity:
    """An entity of a device, as Home Assistant's registry lists it.

    `texts` are its unique id, translation key, name and the like, the clearest first.
    """

    entity_id: str
    device_class: str | None
    unit: str | None
    state_class: str | None
    texts: tuple[str, ...]


@dataclass(slots=True)
class _Candidate:
    """An entity with what its words say."""

    entity_id: str
    device_class: str
    texts: tuple[str, ...]
    words: frozenset[str]
    field: str = ""
    rank: tuple[int, int, int] = (0, 0, 0)
    tariff: str | None = None
    phase: Phase | None = None


def filled_in(
    listed: Iterable[ListedEntity], phases: Sequence[Phase]
) -> dict[str, list[str]]:
    """Return the entity ids for each field of a meter of `phases`.

    A field is that of FIELDS or FED, with the phase behind it ("voltage_l1") or without
    for a total. What could be one or another entity is left out.
    """
    candidates = [c for entity in listed if (c := _candidate(entity)) is not None]
    _tell_directions(candidates)
    _tell_phases(candidates)
    candidates = _without_signed_twice(candidates)
    fields: dict[str, list[str]] = {}
    for name in dict.fromkeys((*FIELDS, *FED.values())):
        of_field = [c for c in candidates if c.field == name]
        for phase in (None, *Phase):
            chosen = _chosen([c for c in of_field if c.phase is phase], name)
            if chosen:
                fields[_id(name, phase)] = chosen
    return _of_phases(fields, phases)


def _id(name: str, phase: Phase | None) -> str:
    return name if phase is None else f"{name}_{phase.lower()}"


def _plain(text: str) -> str:
    """Return a text in lower case, with blanks between its words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    plain = spaced.lower().translate(str.maketrans("éèêàç", "eeeac"))
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def _candidate(entity: ListedEntity) -> _Candidate | None:
    """Return an entity with its words, None for one that measures something else."""
    device_class = entity.device_class or CLASS_OF_UNIT.get(entity.unit or "", "")
    if device_class not in FIELDS.values():
        return None
    is_counter = entity.state_class in ("total", "total_increasing")
    if is_counter != (device_class == "energy"):
        return None
    texts = tuple(map(_plain, entity.texts))
    words = frozenset(word for text in texts for word in text.split())
    excluded = (_ELSEWHERE | _DERIVED) - _HARMLESS.get(device_class, frozenset())
    if words & excluded or any(_BETWEEN_PHASES.search(text) for text in texts):
        return None
    return _Candidate(
        entity_id=entity.entity_id,
        device_class=device_class,
        texts=texts,
        words=words,
    )


def _tell_directions(candidates: Iterable[_Candidate]) -> None:
    """Set the field, the tariff and the rank of each candidate."""
    candidates = list(candidates)
    fields = {class_: name for name, class_ in FIELDS.items()}
    returns = any(c.words & _RETURNED for c in candidates)
    for c in candidates:
        drawn = [index for index, word in enumerate(_DRAWN) if word in c.words]
        fed = [index for index, word in enumerate(_FED) if word in c.words]
        is_fed = bool(fed) or (
            not drawn and not returns and bool(c.words & _TAKEN_EITHER_WAY)
        )
        name = fields[c.device_class]
        c.field = FED.get(name, name) if is_fed else name
        clearest = min(fed or drawn, default=len(_DRAWN))
        c.rank = (
            bool(c.words & _OF_THE_GRID),
            bool(c.words & _OF_ALL),
            -clearest,
        )
        if c.device_class == "energy":
            matches = (_TARIFF.search(text) for text in c.texts)
            c.tariff = next((m[1] or m[2] for m in matches if m), None)


def _tell_phases(candidates: Sequence[_Candidate]) -> None:
    """Set the phase of each candidate, by name, letter or number.

    Letters and numbers mean something else too (amperes, a second input): they are
    phases only where a field has several of them.
    """
    for c in candidates:
        matches = (_NAMED_PHASE.search(text) for text in c.texts)
        named = next((m[1] or m[2] for m in matches if m), None)
        c.phase = None if named is None else _phase(named)
    for name in {c.field for c in candidates}:
        unnamed = [c for c in candidates if c.field == name and c.phase is None]
        for pattern in (_LETTER, _NUMBER):
            marks = {
                c.entity_id: mark
                for c in unnamed
                if not c.tariff and (mark := _mark(pattern, c.texts)) is not None
            }
            distinct = set(marks.values())
            if len(distinct) < 2:
                continue
            for c in unnamed:
                if (mark := marks.get(c.entity_id)) is not None:
                    c.phase = _phase(mark, from_zero="0" in distinct)
            break


def _without_signed_twice(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Leave out power fed where the power of the same phase has a sign by itself."""
    one_way = {
        c.phase
        for c in candidates
        if c.field == "active_power"
        and (c.words & set(_DRAWN) or c.words & _TAKEN_EITHER_WAY)
    }
    return [
        c
        for c in candidates
        if c.field != RETURNED or c.phase in one_way or c.words & _RETURNED
    ]


def _mark(pattern: re.Pattern[str], texts: Iterable[str]) -> str | None:
    """Return the last letter or number that could be a phase."""
    for text in texts:
        if found := pattern.findall(text):
            return str(found[-1])
    return None


def _phase(mark: str, *, from_zero: bool = False) -> Phase | None:
    order = "012" if from_zero else "123"
    index = order.find(mark) if mark.isdecimal() else "abc".find(mark)
    return None if index < 0 else tuple(Phase)[index]


def _chosen(candidates: Sequence[_Candidate], name: str) -> list[str]:
    """Return the best candidates of a field: one, or for energies one of each tariff."""
    single = _best([c for c in candidates if c.tariff is None])
    if single is not None or name not in ENERGIES:
        return [] if single is None else [single]
    tariffs = dict.fromkeys(c.tariff for c in candidates)
    best = [_best([c for c in candidates if c.tariff == tariff]) for tariff in tariffs]
    return [] if None in best else [entity_id for entity_id in best if entity_id]


def _best(candidates: Iterable[_Candidate]) -> str | None:
    """Return the candidate of the highest rank, None without one or with several."""
    ranked = sorted(candidates, key=lambda c: c.rank, reverse=True)
    if not ranked or (len(ranked) > 1 and ranked[0].rank == ranked[1].rank):
        return None
    return ranked[0].entity_id


def _of_phases(
    fields: Mapping[str, list[str]], phases: Sequence[Phase]
) -> dict[str, list[str]]:
    """Return the fields that a meter of `phases` has.

    The frequency is one of all phases. Of a single phase, what has no phase in its name
    is that of the phase, and its energy is the total.
    """
    by_name: dict[str, list[str]] = {}
    for name, phase, total in _names(phases):
        own, whole = fields.get(_id(name, phase)), fields.get(name)
        if name == "frequency" or (name in ENERGIES and len(phases) == 1):
            if name not in by_name and (found := whole or own):
                by_name[name] = found
        elif len(phases) == 1:
            if found := own or whole:
                by_name[_id(name, phase)] = found
        else:
            if own:
                by_name[_id(name, phase)] = own
            if whole and total:
                by_name[name] = whole
    return by_name


def _names(phases: Sequence[Phase]) -> Iterator[tuple[str, Phase, bool]]:
    """Yield each field and phase, and whether the field has a total."""
    for name in (*FIELDS, *FED.values()):
        for phase in phases:
            yield name, phase, name not in ("voltage", "current")
