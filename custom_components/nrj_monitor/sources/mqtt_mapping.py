"""Mappings: where each quantity stands in a meter's messages, and how values combine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from math import isfinite
import re
from typing import Any, Final

from ..catalog import CHANNELS, Channel
from .mqtt_payload import MessageError, check_size, number, parse_json

type Readings = dict[Channel, float | None]

EXAMPLE: Final[Mapping[str, Any]] = {
    "voltage_l1": "L1.voltage",
    "active_power": {"import": "P", "export": "PO"},
    "import_energy": {"path": ["tariff_1", "tariff_2"], "factor": 0.001},
}
"""Mapping a person starts from in the dialogue."""

MEMORY_OF_TOPICS: Final = 256
"""Topics whose rules are remembered; a meter has fewer."""

MOST_GROUPS: Final = 32
"""Groups of a message in which a name is looked for; a meter has fewer."""

_RULE_KEYS: Final = frozenset(
    {"path", "minus", "import", "export", "topic", "factor", "offset"}
)
_TERM_KEYS: Final = frozenset({"path", "topic"})
_PART = re.compile(r"""'([^']*)'(?=\.|$)|"([^"]*)"(?=\.|$)|((?:\\.|[^.\\])*)""")
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class _Term:
    """A value of a message: its topic, None for any, and the paths it may stand at."""

    topic: tuple[str, ...] | None
    paths: tuple[tuple[str, ...], ...]
    """Empty where the whole payload is the value."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A channel as the sum of `plus` without that of `minus`, scaled.

    In an `exclusive` pair at most one side is above zero, as power drawn and power fed
    of one connection are.
    """

    channel: Channel
    plus: tuple[_Term, ...]
    minus: tuple[_Term, ...]
    exclusive: bool
    factor: float
    offset: float


class MappingDecoder:
    """Decoder of messages by rules; remembers values whose partners are on other topics."""

    def __init__(self, rules: Iterable[_Rule], *, is_strict: bool = True) -> None:
        """Decode by `rules`; of several for a channel the first with a value counts.

        A decoder that is not strict takes a message without a value for one of the
        meter's other topics.
        """
        self._is_strict = is_strict
        self._rules = tuple(rules)
        self._by_topic: dict[str, tuple[_Rule, ...]] = {}
        self._latest: dict[_Term, float | None] = {}
        self._has_topics = all(
            term.topic is not None
            for rule in self._rules
            for term in rule.plus + rule.minus
        )

    def __call__(self, payload: bytes, topic: str = "") -> Readings:
        """Return the readings of a message, none of a topic without a rule.

        Raises:
            MessageError: nothing of the mapping is in the message.
        """
        check_size(payload)
        rules = self._of_topic(topic)
        if not rules and self._has_topics:
            return {}
        message = _Message(payload, topic)
        readings: Readings = {}
        for rule in rules:
            if rule.channel not in readings:
                value = self._value(rule, message)
                if value is not _MISSING:
                    readings[rule.channel] = value
        if not readings and not message.has_value:
            if not self._is_strict and payload[:1] not in (b"{", b"["):
                return readings
            if message.error is not None:
                raise message.error
            if self._is_strict:
                raise MessageError("Nothing of the mapping is in the message")
        return readings

    def forget(self, topic: str) -> set[Channel]:
        """Forget what a topic told; return the channels that it told with other topics."""
        for term in [term for term in self._latest if _is_on(term, topic)]:
            del self._latest[term]
        return {
            rule.channel for rule in self._of_topic(topic) if not _all_here(rule, topic)
        }

    def reset(self) -> None:
        """Forget what all topics told."""
        self._latest.clear()

    def _of_topic(self, topic: str) -> tuple[_Rule, ...]:
        """Return the rules with a term on a topic."""
        rules = self._by_topic.get(topic)
        if rules is None:
            rules = tuple(
                rule
                for rule in self._rules
                if any(_is_on(term, topic) for term in rule.plus + rule.minus)
            )
            if len(self._by_topic) >= MEMORY_OF_TOPICS:
                self._by_topic.clear()
            self._by_topic[topic] = rules
        return rules

    def _value(self, rule: _Rule, message: _Message) -> Any:
        """Return a rule's value, None if not measured, _MISSING if not told."""
        plus, plus_told = self._sum(rule.plus, message)
        if not rule.minus:
            return _scaled(rule, plus) if plus_told else _MISSING
        minus, minus_told = self._sum(rule.minus, message)
        if not (plus_told or minus_told):
            return _MISSING
        if rule.exclusive and plus_told != minus_told:
            told = plus if plus_told else minus
            if told is None:
                return None
            if told > 0:
                # One side is told: nothing flows on the other.
                return _scaled(rule, told if plus_told else -told)
            if _all_here(rule, message.topic):
                # It may be the other side on which it flows.
                return _MISSING
        if not plus_told and not _remembered(rule.plus, message.topic):
            return _MISSING
        if not minus_told and not _remembered(rule.minus, message.topic):
            return _MISSING
        if plus is _MISSING or minus is _MISSING:
            return _MISSING
        if plus is None or minus is None:
            return None
        return _scaled(rule, plus - minus)

    def _sum(self, terms: tuple[_Term, ...], message: _Message) -> tuple[Any, bool]:
        """Return the sum of `terms` and whether the message told of them.

        What stands on other topics counts with its latest value; what should stand in
        this message has to.
        """
        total: Any = 0.0
        told = False
        for term in terms:
            if _is_on(term, message.topic):
                if (value := message.read(term)) is _MISSING:
                    return _MISSING, False
                self._latest[term] = value
                told = True
            else:
                value = self._latest.get(term, _MISSING)
            if total is not _MISSING:
                if value is _MISSING:
                    total = _MISSING
                elif value is None or total is None:
                    total = None
                else:
                    total += value
        return total, told and total is not _MISSING


class _Message:
    """A message whose payload is parsed as far as its rules ask."""

    def __init__(self, payload: bytes, topic: str) -> None:
        self.topic = topic
        self.has_value = False
        self.error: MessageError | None = None
        self._payload = payload
        self._json: Any = _MISSING

    def read(self, term: _Term) -> Any:
        """Return the number of a term, None for no number, _MISSING where it is absent."""
        value: Any = _MISSING
        if not term.paths:
            value = self._payload.decode(errors="replace")
        else:
            for path in term.paths:
                value = _follow(self._parsed(), path)
                if value is not _MISSING:
                    break
        if value is _MISSING:
            return value
        self.has_value = True
        return number(value)

    def _parsed(self) -> Any:
        if self._json is _MISSING:
            self._json = None
            try:
                self._json = parse_json(self._payload)
            except MessageError as error:
                self.error = error
        return self._json


def _scaled(rule: _Rule, value: Any) -> float | None:
    if value is None:
        return None
    scaled: float = value * rule.factor + rule.offset
    return scaled if isfinite(scaled) else None


def _is_on(term: _Term, topic: str) -> bool:
    """Return whether a term's topic is the end of a message's topic."""
    if term.topic is None:
        return True
    levels = topic.split("/")[-len(term.topic) :]
    return len(levels) == len(term.topic) and all(
        wanted in ("+", level) for wanted, level in zip(term.topic, levels, strict=True)
    )


def _all_here(rule: _Rule, topic: str) -> bool:
    """Return whether all values of a rule are told by messages of one topic."""
    return all(_is_on(term, topic) for term in rule.plus + rule.minus)


def _remembered(terms: tuple[_Term, ...], topic: str) -> bool:
    """Return whether values of `terms` come with messages of other topics."""
    return not any(_is_on(term, topic) for term in terms)


def _follow(message: Any, path: tuple[str, ...]) -> Any:
    """Return the single value at `path`, _MISSING where there is none."""
    for index, name in enumerate(path):
        if isinstance(message, dict) and name in message:
            message = message[name]
        elif (
            isinstance(message, list) and name.isdecimal() and int(name) < len(message)
        ):
            message = message[int(name)]
        elif name == "*" and isinstance(message, dict):
            values = (
                _follow(inner, path[index + 1 :])
                for inner in islice(message.values(), MOST_GROUPS)
                if isinstance(inner, dict)
            )
            return next((value for value in values if value is not _MISSING), _MISSING)
        else:
            return _MISSING
    return _MISSING if isinstance(message, (dict, list)) else message


def mapping_decoder(mapping: Any) -> MappingDecoder:
    """Return a decoder for messages of any form.

    `mapping` holds, by the id of a channel, where its value stands: a path of names and
    numbers with dots between ("sensors.0.U"), a name with dots in quotes or escaped
    ("'1.7.0'"), or an object. An object has `path` (several are summed) and `minus`, or
    `import` and `export` of which one is zero, and may have a `topic`, a `factor` into
    the channel's unit and an `offset` in it. A line may also lead from a topic to the
    channel ("emeter/0/power: active_power_l1").

    Raises:
        MessageError: the mapping itself is wrong; names the channel.
    """
    if not isinstance(mapping, Mapping):
        raise MessageError("The mapping must have lines like 'voltage_l1: L1.voltage'")
    rules = rules_of(_by_channel(id_, rule) for id_, rule in mapping.items())
    if not rules:
        raise MessageError("The mapping is empty")
    ids = [rule.channel.id for rule in rules]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise MessageError(f"'{id_}' has two lines; several values are a list")
    return MappingDecoder(rules)


def rules_of(lines: Iterable[tuple[Any, Any]]) -> tuple[_Rule, ...]:
    """Return the rules of the lines of a mapping; raises MessageError for a wrong one."""
    return tuple(_rule(_channel(id_), rule) for id_, rule in lines)


def _by_channel(id_: Any, rule: Any) -> tuple[Any, Any]:
    """Return a line by its channel, also one that leads from a topic."""
    if "/" not in str(id_):
        return id_, rule
    if isinstance(rule, Mapping) and "quantity" in rule:
        rest = {key: value for key, value in rule.items() if key != "quantity"}
        return rule["quantity"], {"topic": id_, **rest}
    return rule, {"topic": id_}


def _channel(id_: Any) -> Channel:
    if (channel := CHANNELS.get(str(id_))) is None:
        raise MessageError(f"'{id_}' is not a quantity; one is 'voltage_l1'")
    return channel


def _rule(channel: Channel, rule: Any) -> _Rule:
    id_ = channel.id
    parts = rule if isinstance(rule, Mapping) else {"path": rule}
    if unknown := parts.keys() - _RULE_KEYS:
        raise MessageError(
            f"'{id_}' has '{min(map(str, unknown))}', which means nothing"
        )
    exclusive = "import" in parts or "export" in parts
    if exclusive and not ("import" in parts and "export" in parts):
        raise MessageError(f"'{id_}' needs both import and export")
    if exclusive and ("path" in parts or "minus" in parts):
        raise MessageError(f"'{id_}' has import and export, or path and minus")

    def terms(value: Any) -> tuple[_Term, ...]:
        return _terms(id_, value, parts.get("topic"))

    if exclusive:
        plus, minus = terms(parts["import"]), terms(parts["export"])
    elif "path" in parts:
        plus = terms(parts["path"])
        minus = terms(parts["minus"]) if "minus" in parts else ()
    elif "topic" in parts and "minus" not in parts:
        plus, minus = (_Term(_topic(id_, parts["topic"]), ()),), ()
    else:
        raise MessageError(f"'{id_}' needs the path of its value")
    factor, offset = parts.get("factor", 1), parts.get("offset", 0)
    for value in (factor, offset):
        if isinstance(value, str) or number(value) is None:
            raise MessageError(f"Factor and offset of '{id_}' must be numbers")
    return _Rule(channel, plus, minus, exclusive, float(factor), float(offset))


def _terms(id_: str, value: Any, topic: Any) -> tuple[_Term, ...]:
    """Return the terms of a path, or of a list of paths to sum."""
    values = value if isinstance(value, (list, tuple)) else (value,)
    if not values:
        raise MessageError(f"'{id_}' needs the path of its value")
    return tuple(_term(id_, one, topic) for one in values)


def _term(id_: str, value: Any, topic: Any) -> _Term:
    if isinstance(value, Mapping) and value and value.keys() <= _TERM_KEYS:
        topic, value = value.get("topic", topic), value.get("path")
        if value is None:
            return _Term(_topic(id_, topic), ())
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise MessageError(f"'{id_}' needs the path of its value")
    path = str(value)
    literal = tuple(path.split("."))
    paths = dict.fromkeys((_path(id_, path), literal))
    return _Term(None if topic is None else _topic(id_, topic), tuple(paths))


def _topic(id_: str, topic: Any) -> tuple[str, ...]:
    text = str(topic).strip("/")
    if not text or "#" in text or not isinstance(topic, str):
        raise MessageError(
            f"The topic of '{id_}' must be the end of a topic like 'emeter/0/power'"
        )
    return tuple(text.split("/"))


def _path(id_: str, path: str) -> tuple[str, ...]:
    """Return the names of a path; those with dots are quoted or escaped."""
    names: list[str] = []
    position = 0
    while True:
        match = _PART.match(path, position)
        assert match is not None, "an empty name matches"
        single, double, plain = match.groups()
        quoted = single if single is not None else double
        names.append(quoted if quoted is not None else re.sub(r"\\(.)", r"\1", plain))
        position = match.end()
        if position >= len(path):
            return tuple(names)
        if path[position] != ".":
            raise MessageError(f"The path of '{id_}' is not understood: {path}")
        position += 1
