"""Add, remove and call the callbacks of an update."""

import pytest

from custom_components.nrj_monitor.listeners import Listeners


def test_callbacks_are_called_in_order_with_the_update() -> None:
    """Each callback gets all values of an update, in the order of adding."""
    calls: list[tuple[str, float, str]] = []
    listeners: Listeners[float, str] = Listeners()
    listeners.async_add(lambda value, unit: calls.append(("first", value, unit)))
    listeners.async_add(lambda value, unit: calls.append(("second", value, unit)))
    listeners.async_notify(1.5, "W")
    assert calls == [("first", 1.5, "W"), ("second", 1.5, "W")]


def test_a_removed_callback_is_not_called() -> None:
    """Leave the other of two equal callbacks after a removal."""
    calls: list[str] = []
    listeners: Listeners[str] = Listeners()
    remove = listeners.async_add(calls.append)
    listeners.async_add(calls.append)
    remove()
    listeners.async_notify("update")
    assert calls == ["update"]


def test_callbacks_may_be_added_and_removed_during_an_update() -> None:
    """A change during an update counts from the next update on."""
    calls: list[str] = []
    listeners: Listeners[()] = Listeners()

    def first() -> None:
        calls.append("first")
        remove_first()
        listeners.async_add(lambda: calls.append("third"))

    remove_first = listeners.async_add(first)
    listeners.async_add(lambda: calls.append("second"))
    listeners.async_notify()
    assert calls == ["first", "second"]
    calls.clear()
    listeners.async_notify()
    assert calls == ["second", "third"]


def test_a_failing_callback_is_logged_and_the_others_are_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Keep a callback's exception from the other callbacks."""
    calls: list[str] = []
    listeners: Listeners[str] = Listeners()

    def fail(_: str) -> None:
        raise ValueError("broken")

    listeners.async_add(fail)
    listeners.async_add(calls.append)
    listeners.async_notify("update")
    assert calls == ["update"]
    assert "broken" in caplog.text
