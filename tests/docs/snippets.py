"""Sort the documents' YAML by its owner, whose rules then check the snippet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .pages import PAGES, Block, blocks

ESPHOME_PAGES = frozenset(
    {
        "calibration.md",
        "frequency-guard.md",
        "hardware.md",
        "install.md",
        "power-quality.md",
        "wiring.md",
    }
)
"""Pages whose YAML goes into a meter's own configuration, beside the meter's package."""


class _Loader(yaml.SafeLoader):
    """Reads ESPHome's and Home Assistant's own tags as text."""


_Loader.add_multi_constructor("!", lambda _, suffix, node: f"!{suffix} {node.value}")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A YAML block with its parsed content."""

    block: Block
    content: Any

    @property
    def id(self) -> str:
        """Return the snippet's page and line, for the name of a test."""
        return self.block.id


def _is_mapping(snippet: Snippet) -> bool:
    return snippet.block.page.name == "sources.md"


KINDS: Mapping[str, Callable[[Snippet], bool]] = {
    "esphome": lambda s: s.block.page.name in ESPHOME_PAGES,
    "automation": lambda s: "triggers" in s.content,
    "action": lambda s: "action" in s.content,
    "home_assistant": lambda s: s.content.keys() <= {"prometheus", "influxdb"},
    "prometheus_job": lambda s: "scrape_configs" in s.content,
    "replay_loads": lambda s: "loads" in s.content,
    "replay_thresholds": lambda s: "nominal" in s.content,
    "mqtt_mapping": _is_mapping,
}
"""Who takes a snippet, by how it is recognised."""


def kinds_of(snippet: Snippet) -> set[str]:
    """Return the kinds of YAML with rules for a snippet, a single kind in a sound page."""
    return {kind for kind, fits in KINDS.items() if fits(snippet)}


SNIPPETS = [
    Snippet(block, yaml.load(block.text, _Loader))
    for page in PAGES
    for block in blocks(page)
    if block.language == "yaml"
]


def snippets(kind: str) -> list[Snippet]:
    """Return the snippets of a kind."""
    return [snippet for snippet in SNIPPETS if kinds_of(snippet) == {kind}]
