"""Find Home Assistant's log messages about an integration's use of deprecated code."""

from collections.abc import Iterable, Iterator
import logging


def deprecations_of(domain: str, records: Iterable[logging.LogRecord]) -> Iterator[str]:
    """Yield the messages in which Home Assistant asks to report `domain` to its author."""
    for record in records:
        message = record.getMessage()
        if (
            record.name.startswith("homeassistant")
            and "custom integration" in message
            and f"'{domain}'" in message
        ):
            yield message
