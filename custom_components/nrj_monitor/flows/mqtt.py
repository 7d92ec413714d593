"""Config flow steps of a meter on an MQTT topic."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    ObjectSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio as vol

from ..catalog import CHANNELS, Channel
from ..const import (
    CONF_CHANNELS,
    CONF_LAYOUT,
    CONF_MAPPING,
    CONF_METER,
    CONF_NEW_METER,
    CONF_SOURCE,
    CONF_TOPIC,
    SOURCE_MQTT,
)
from ..device_text import LONGEST_SENTENCE, plain
from ..sources.errors import BrokerAwayError
from ..sources.mqtt_layouts import (
    LAYOUTS,
    MAPPED,
    THREE_PHASES,
    Decoder,
    MessageError,
    decoder,
)
from ..sources.mqtt_makes import HOURLY, ONCE_A_MINUTE
from ..sources.mqtt_mapping import EXAMPLE
from .base import SetupFlow
from .virtual_meter import (
    NEW_METER,
    async_replacement_data,
    describe,
    found_and_missing,
    new_id,
)

LONGEST_WAIT: Final = 70.0
"""Seconds to wait for the first message; some meters publish once a minute."""

SETTLED: Final = 2.0
"""Seconds without a new quantity after which all are known."""

EXCERPT: Final = 1500
"""Characters of a message shown to a person."""

SHOWN_TOPICS: Final = 12
"""Topics whose latest message is shown to a person."""

MOST_TOPICS: Final = 256
"""Topics whose messages are counted."""

ENOUGH: Final = 3
"""Messages on one topic after which those not understood will not be any more."""

TOPIC_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_TOPIC): TextSelector(),
        vol.Required(CONF_LAYOUT, default=THREE_PHASES): SelectSelector(
            SelectSelectorConfig(
                options=list(LAYOUTS),
                mode=SelectSelectorMode.LIST,
                translation_key=CONF_LAYOUT,
            )
        ),
    }
)

RECONFIGURE_SCHEMA = TOPIC_SCHEMA.extend(NEW_METER)

MAPPING_SCHEMA = vol.Schema({vol.Required(CONF_MAPPING): ObjectSelector()})


class _Heard:
    """Messages received on the topic while listening."""

    def __init__(self, decode: Decoder | None) -> None:
        """Start without messages; without `decode` they are only kept to be shown."""
        self._decode = decode
        self._not_understood: dict[str, int] = {}
        self.values: dict[Channel, float] = {}
        self.error: MessageError | None = None
        self.messages: dict[str, str] = {}
        self.news = asyncio.Event()
        self.is_given_up = False

    @property
    def has_energy(self) -> bool:
        """Return whether a counter of energy was read."""
        return any(channel.quantity.key == "import_energy" for channel in self.values)

    @callback
    def add(self, payload: bytes, topic: str) -> None:
        """Add a message: its values, or the error of decoding."""
        is_new = topic not in self.messages
        if not is_new or len(self.messages) < SHOWN_TOPICS:
            text = payload[: EXCERPT * 4].decode(errors="replace")[:EXCERPT]
            self.messages[topic] = text
        if self._decode is None:
            if is_new:
                self.news.set()
            return
        try:
            readings = self._decode(payload, topic)
        except MessageError as error:
            self.error = error
            readings = {}
        values = {
            channel: value for channel, value in readings.items() if value is not None
        }
        if not values.keys() <= self.values.keys():
            self.news.set()
        self.values |= values
        if not self.values and (
            topic in self._not_understood or len(self._not_understood) < MOST_TOPICS
        ):
            count = self._not_understood[topic] = self._not_understood.get(topic, 0) + 1
            if count >= ENOUGH:
                self.is_given_up = True
                self.news.set()

    @property
    def text(self) -> str:
        """Return the latest message of each topic, to be shown as code."""
        lines = (
            f"{topic}\n{message}" if len(self.messages) > 1 else message
            for topic, message in self.messages.items()
        )
        return "```\n" + "\n".join(lines).replace("`", "'") + "\n```"

    @property
    def problem(self) -> str:
        """Return why no value was read."""
        return plain(
            str(self.error or "no value of a known quantity is in them"),
            LONGEST_SENTENCE,
        )


class MqttFlowMixin(SetupFlow):
    """Config flow steps of an MQTT meter, set up only after a first message."""

    _mqtt: dict[str, Any]
    _heard: _Heard | None
    _listening: asyncio.Task[None] | None = None

    async def async_step_topic(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the topic and the layout of messages."""
        return await self._async_topic("topic", user_input, None)

    async def async_step_reconfigure_topic(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new topic of a known meter."""
        entry = self._get_reconfigure_entry()
        return await self._async_topic(
            "reconfigure_topic", user_input, entry.data | {CONF_NAME: entry.title}
        )

    @property
    def _topic_schema(self) -> vol.Schema:
        """Return the form of the topic, of a new meter or of a known one."""
        if self.source == SOURCE_RECONFIGURE:
            return RECONFIGURE_SCHEMA
        return TOPIC_SCHEMA

    async def _async_topic(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        known: Mapping[str, Any] | None,
    ) -> ConfigFlowResult:
        if "mqtt" not in self.hass.config.components:
            return self.async_abort(reason="no_mqtt")
        from homeassistant.components.mqtt.util import valid_subscribe_topic  # noqa: PLC0415

        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                valid_subscribe_topic(user_input[CONF_TOPIC])
            except vol.Invalid:
                errors[CONF_TOPIC] = "bad_topic"
            else:
                self._mqtt = dict(user_input)
                if self._mqtt[CONF_LAYOUT] == MAPPED:
                    self._heard = _Heard(None)
                    return await self.async_step_topic_listen()
                self._heard = _Heard(decoder(self._mqtt[CONF_LAYOUT]))
                return await self.async_step_topic_listen()
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                self._topic_schema, user_input or known
            ),
            errors=errors,
        )

    async def async_step_topic_mapping(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where each quantity stands in the messages."""
        errors: dict[str, str] = {}
        heard = self._heard
        assert heard is not None
        placeholders = {"problem": "", "message": heard.text}
        if user_input is not None:
            mapping = user_input[CONF_MAPPING]
            try:
                decode = decoder(MAPPED, mapping)
            except MessageError as error:
                errors["base"] = "bad_mapping"
                placeholders["problem"] = plain(str(error), LONGEST_SENTENCE)
            else:
                self._mqtt[CONF_MAPPING] = mapping
                self._heard = _Heard(decode)
                return await self.async_step_topic_listen()
        return self._show_mapping(user_input, errors, placeholders)

    def _show_mapping(
        self,
        shown: Mapping[str, Any] | None,
        errors: dict[str, str],
        placeholders: dict[str, str],
    ) -> ConfigFlowResult:
        """Show the form of the mapping; it begins with what is known, or an example."""
        mapping = (shown or {}).get(CONF_MAPPING)
        if mapping is None and self.source == SOURCE_RECONFIGURE:
            mapping = self._get_reconfigure_entry().data.get(CONF_MAPPING)
        return self.async_show_form(
            step_id="topic_mapping",
            data_schema=self.add_suggested_values_to_schema(
                MAPPING_SCHEMA, {CONF_MAPPING: mapping or dict(EXAMPLE)}
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_topic_listen(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Listen for as long as there is something new to hear."""
        if self._listening is None:
            self._listening = self.hass.async_create_task(
                self._async_listen(), "nrj_monitor set-up over MQTT"
            )
        if not self._listening.done():
            return self.async_show_progress(
                step_id="topic_listen",
                progress_action="listening",
                progress_task=self._listening,
                description_placeholders={"topic": self._mqtt[CONF_TOPIC]},
            )
        task, self._listening = self._listening, None
        if isinstance(task.exception(), BrokerAwayError):
            return self.async_show_progress_done(next_step_id="topic_no_broker")
        task.result()
        heard = self._heard
        assert heard is not None
        is_first = self._mqtt[CONF_LAYOUT] == MAPPED and CONF_MAPPING not in self._mqtt
        return self.async_show_progress_done(
            next_step_id="topic_mapping"
            if is_first and heard.messages
            else "topic_heard"
        )

    async def _async_listen(self) -> None:
        from ..sources.mqtt import listen  # noqa: PLC0415

        heard = self._heard
        assert heard is not None
        stop = await listen(self.hass, self._mqtt[CONF_TOPIC], heard.add)
        is_slow = self._mqtt[CONF_LAYOUT] in ONCE_A_MINUTE
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await heard.news.wait()
                while not heard.is_given_up:
                    heard.news.clear()
                    await asyncio.sleep(SETTLED)
                    is_settled = not heard.news.is_set()
                    if is_settled and (not is_slow or heard.has_energy):
                        break
                    await heard.news.wait()
        except TimeoutError:
            pass
        finally:
            stop()

    async def async_step_topic_no_broker(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """End: there is nobody to listen to."""
        return self.async_abort(reason="broker_away")

    async def async_step_topic_heard(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show received and missing quantities; add the meter, or start over."""
        heard = self._heard
        assert heard is not None
        topic = self._mqtt[CONF_TOPIC]
        if not heard.values:
            return self._show_not_heard(heard)
        channels = set(heard.values) | {
            CHANNELS[id_] for id_ in HOURLY.get(self._mqtt[CONF_LAYOUT], ())
        }
        known = (
            self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        )
        id_ = new_id(SOURCE_MQTT) if known is None else known.data[CONF_METER]["mac"]
        meter = describe(id_, self._mqtt[CONF_NAME], "MQTT", channels)
        if user_input is None:
            return self.async_show_form(
                step_id="topic_heard",
                data_schema=vol.Schema({}),
                description_placeholders={"topic": topic}
                | await found_and_missing(self.hass, meter, heard.values),
            )
        data = {
            CONF_SOURCE: SOURCE_MQTT,
            CONF_TOPIC: topic,
            CONF_LAYOUT: self._mqtt[CONF_LAYOUT],
            CONF_MAPPING: self._mqtt.get(CONF_MAPPING),
            CONF_CHANNELS: sorted(channel.id for channel in channels),
            CONF_METER: meter.as_dict(),
        }
        if known is not None:
            kept = await async_replacement_data(
                self.hass, known, is_new_meter=self._mqtt[CONF_NEW_METER]
            )
            return self.async_update_reload_and_abort(
                known, title=meter.name, data=data | kept
            )
        await self.async_set_unique_id(f"{SOURCE_MQTT}:{topic}")
        self._abort_if_unique_id_configured()
        return await self.async_finish(meter.name, data)

    def _show_not_heard(self, heard: _Heard) -> ConfigFlowResult:
        """Show the form again with the reason why no meter can be set up."""
        problem = {
            "topic": self._mqtt[CONF_TOPIC],
            "problem": heard.problem,
            "message": heard.text,
        }
        errors = {"base": "not_understood" if heard.messages else "no_message"}
        if heard.messages and self._mqtt[CONF_LAYOUT] == MAPPED:
            return self._show_mapping(self._mqtt, errors, problem)
        step_id = "reconfigure_topic" if self.source == SOURCE_RECONFIGURE else "topic"
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                self._topic_schema, self._mqtt
            ),
            errors=errors,
            description_placeholders=problem,
        )
