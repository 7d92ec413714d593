"""Config flow steps of a meter on the native API: address and key."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, override

from homeassistant.components import zeroconf
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.helpers.device_registry import format_mac
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import probatio as vol

from ..calibration.corrections import TAKE_OVER, Corrections
from ..const import (
    CONF_ENCRYPTION_KEY,
    CONF_KEY_GIVEN,
    CONF_METER,
    CONF_NEW_METER,
    CONF_REPLACED,
    CONF_SOURCE,
    CONF_TAKE_OVER,
    DEFAULT_PORT,
    SOURCE_NATIVE_API,
)
from ..device_messages.message import parse_answer
from ..device_messages.sentences import async_say
from ..device_text import plain
from ..entry_data import NrjConfigEntry
from ..meter_replacement import async_replace_meter
from ..meter_store import async_stored_calibration
from ..sources import Feature, MeterDescription
from ..sources.errors import (
    CredentialError,
    KeyRequiredError,
    NotAMeterError,
    SourceError,
    WrongKeyError,
)
from ..sources.esphome_entry import esphome_key
from ..sources.native_api.address import NativeApiAddress, new_key
from ..sources.native_api.device_model import PROJECT_PREFIX, DeviceModel
from ..sources.native_api.provisioning import identify, probe, run_action, set_key
from .base import SetupFlow, async_finish_schema
from .discovery_update import announced_address_is_right
from .native_form import (
    ADDRESS_SCHEMA,
    KEY_SCHEMA,
    NO_FIELDS,
    RECONFIGURE_SCHEMA,
    TAKE_OVER_SCHEMA,
    form_errors,
)


class NativeFlowMixin(SetupFlow):
    """Config flow steps of a native API meter, set up only after an answer.

    `asked` is everywhere what a form asks for: host, port and, where there is
    one, key.
    """

    @override
    def __init__(self) -> None:
        """Start with nothing asked and nothing wrong."""
        super().__init__()
        self._asked: dict[str, Any] = {}
        self._offered_key: str | None = None
        self._replaces = False
        self._new_mac = ""
        self._corrections = Corrections({})
        self._error: SourceError | None = None
        self._placeholders: dict[str, str] = {}

    async def async_step_native(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address of a meter, then add the meter."""
        if user_input is not None and (probed := await self._async_probe(user_input)):
            return await self._async_add(user_input, probed)
        return self._form("native", ADDRESS_SCHEMA, user_input)

    @override
    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Handle a discovered device: a new meter, or a known meter's new address."""
        properties = discovery_info.properties
        name = plain(
            properties.get("friendly_name") or discovery_info.hostname.partition(".")[0]
        )
        project = properties.get("project_name") or ""
        if not project.startswith(PROJECT_PREFIX):
            return self.async_abort(
                reason="not_a_meter",
                description_placeholders={
                    "name": name,
                    "project": plain(project) or "ESPHome",
                },
            )
        if not (mac := properties.get("mac")):
            return self.async_abort(
                reason="no_mac", description_placeholders={"name": name}
            )
        self._asked = {
            CONF_HOST: discovery_info.host,
            CONF_PORT: discovery_info.port or DEFAULT_PORT,
        }
        self._title = name
        self.context["title_placeholders"] = {"name": name}
        entry = await self.async_set_unique_id(format_mac(mac))
        if entry is not None and await announced_address_is_right(
            self.hass, entry, self._asked
        ):
            self._abort_if_unique_id_configured(updates=self._asked)
        self._abort_if_unique_id_configured()
        return await self.async_step_discovery_confirm()

    async def async_step_discovery_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to add the discovered meter."""
        if user_input is not None:
            if probed := await self._async_probe(self._asked):
                return await self._async_add(self._asked, probed)
            if isinstance(self._error, KeyRequiredError):
                self._error = None
                return await self.async_step_discovery_key()
            if isinstance(self._error, NotAMeterError):
                return self.async_abort(
                    reason="not_a_meter", description_placeholders=self._placeholders
                )
        return self._form("discovery_confirm", NO_FIELDS, None, name=plain(self._title))

    async def async_step_discovery_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the key of the discovered meter."""
        if user_input is not None:
            asked = self._asked | user_input
            if probed := await self._async_probe(asked):
                return await self._async_add(asked, probed)
        return self._form(
            "discovery_key", KEY_SCHEMA, user_input, name=plain(self._title)
        )

    async def async_step_new_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the new key for a meter without a key, then set the key on the meter.

        The key is given last, so that no meter is left behind with a key nobody
        stored.
        """
        if user_input is not None:
            if await self._async_set_key(self._asked):
                return self.async_create(user_input)
            if isinstance(self._error, CredentialError):
                # Somebody else gave it a key in the meantime.
                del self._asked[CONF_ENCRYPTION_KEY]
                return await self.async_step_native(self._asked)
        return self._form(
            "new_key",
            await async_finish_schema(self.hass),
            user_input,
            name=plain(self._title),
            key=self._asked[CONF_ENCRYPTION_KEY],
        )

    async def async_step_reconfigure_native(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new address of a known meter, or of one in its place."""
        entry = self._get_reconfigure_entry()
        if user_input is not None:
            asked = dict(user_input)
            self._replaces = asked.pop(CONF_NEW_METER, False)
            if result := await self._async_change(entry, asked):
                return result
        return self._form(
            "reconfigure_native", RECONFIGURE_SCHEMA, user_input or entry.data
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Try the key ESPHome's entry has before a person is asked."""
        entry = self._get_reauth_entry()
        key = esphome_key(self.hass, entry.unique_id)
        if key is not None and key != entry.data.get(CONF_ENCRYPTION_KEY):
            asked = _address_of(entry) | {CONF_ENCRYPTION_KEY: key}
            if result := await self._async_change(entry, asked):
                return result
            self._error = None
            self._placeholders = {}
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the new key of a known meter."""
        entry = self._get_reauth_entry()
        if user_input is not None and (
            result := await self._async_change(entry, _address_of(entry) | user_input)
        ):
            return result
        return self._form(
            "reauth_confirm", KEY_SCHEMA, user_input, name=plain(entry.title)
        )

    async def _async_add(
        self, asked: dict[str, Any], probed: DeviceModel
    ) -> ConfigFlowResult:
        """Finish the set-up of a meter after its answer."""
        meter = probed.description
        if _key(asked) is None and probed.accepts_key:
            self._asked = asked | {CONF_ENCRYPTION_KEY: new_key()}
            self._title = meter.name
            self._data = _entry_data(self._asked, meter) | {CONF_KEY_GIVEN: True}
            return await self.async_step_new_key()
        return await self.async_finish(meter.name, _entry_data(asked, meter))

    async def _async_change(
        self, entry: NrjConfigEntry, asked: dict[str, Any]
    ) -> ConfigFlowResult | None:
        """Store address and key in `entry` if its meter answers there."""
        if (probed := await self._async_probe(asked)) is None:
            return None
        if _key(asked) is None and probed.accepts_key:
            self._offered_key = asked[CONF_ENCRYPTION_KEY] = new_key()
            if not await self._async_set_key(asked):
                del asked[CONF_ENCRYPTION_KEY]
                return None
        data = _entry_data(asked, probed.description)
        key = _key(asked)
        if key is not None and (
            key == self._offered_key
            or (
                entry.data.get(CONF_KEY_GIVEN)
                and key == entry.data.get(CONF_ENCRYPTION_KEY)
            )
        ):
            data[CONF_KEY_GIVEN] = True
        kept = {
            field: value
            for field, value in entry.data.items()
            if field not in (CONF_ENCRYPTION_KEY, CONF_KEY_GIVEN)
        }
        self._data = kept | data
        new_mac = probed.description.mac
        if entry.unique_id is None or entry.unique_id == new_mac:
            return self.async_update_reload_and_abort(
                entry, unique_id=new_mac, data=self._data
            )
        self._asked = asked
        self._new_mac = new_mac
        if Feature.CALIBRATION_TRANSFER in probed.description.features:
            corrections = await async_stored_calibration(self.hass, entry)
            if corrections is not None and corrections.is_calibrated:
                self._corrections = corrections
                return await self.async_step_calibration()
        return await self._async_replace(entry)

    async def async_step_calibration(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the new meter takes over the calibration of the old one."""
        entry = self._get_reconfigure_entry()
        self._error, refusal = None, None
        if user_input is not None:
            if user_input[CONF_TAKE_OVER]:
                refusal = await self._async_take_over()
            if self._error is None and refusal is None:
                return await self._async_replace(entry)
        errors = form_errors(self._error, TAKE_OVER_SCHEMA)
        if refusal is not None:
            errors[CONF_TAKE_OVER] = "calibration_not_taken"
        return self.async_show_form(
            step_id="calibration",
            data_schema=TAKE_OVER_SCHEMA,
            errors=errors,
            description_placeholders={
                **self._placeholders,
                "name": plain(entry.title),
                "corrections": self._corrections.describe(),
                "problem": refusal or "",
            },
        )

    async def _async_take_over(self) -> str | None:
        """Give the new meter the calibration; return its refusal, or note the error."""
        instance = await zeroconf.async_get_instance(self.hass)
        try:
            answer = await run_action(
                _address(self._asked),
                TAKE_OVER,
                self._corrections.as_arguments(),
                instance,
            )
        except SourceError as error:
            self._note(error, self._asked)
            return None
        if answer.success:
            return None
        refusal, messages = parse_answer(answer.text)
        return (async_say(self.hass, messages) if messages else None) or refusal

    async def _async_replace(self, entry: NrjConfigEntry) -> ConfigFlowResult:
        """Put the new meter in the place of the old one."""
        assert entry.unique_id is not None
        replacement = await async_replace_meter(
            self.hass, entry, entry.unique_id, self._new_mac
        )
        return self.async_update_reload_and_abort(
            entry,
            unique_id=self._new_mac,
            data=self._data | {CONF_REPLACED: replacement.as_dict()},
        )

    async def _async_probe(self, asked: dict[str, Any]) -> DeviceModel | None:
        """Read the meter; keep the error of a failure for the form.

        Where no key was given and the meter needs one, the key ESPHome's entry of
        the same device has is put into `asked`. Aborts at a meter that is not the
        one this dialogue is about, or that is set up already.
        """
        self._error = None
        asked[CONF_HOST] = asked[CONF_HOST].strip()
        try:
            probed = await self._async_talk(asked)
        except SourceError as error:
            if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
                instance = await zeroconf.async_get_instance(self.hass)
                mac = await identify(error, _address(asked), instance)
                if mac is not None:
                    await self._async_admit(mac)
            self._note(error, asked)
            return None
        await self._async_admit(probed.description.mac)
        return probed

    async def _async_talk(self, asked: dict[str, Any]) -> DeviceModel:
        """Return the device at an address, read with the typed or a known key.

        That is the one this dialogue gave it, where only the receipt was lost, or
        the one ESPHome's entry has.
        """
        instance = await zeroconf.async_get_instance(self.hass)
        try:
            return await probe(_address(asked), instance)
        except KeyRequiredError as error:
            for key in (self._offered_key, esphome_key(self.hass, error.mac)):
                if key is None:
                    continue
                known = asked | {CONF_ENCRYPTION_KEY: key}
                with suppress(CredentialError):
                    probed = await probe(_address(known), instance)
                    asked.update(known)
                    return probed
            raise

    async def _async_admit(self, mac: str) -> None:
        """Abort unless this flow may set up or change the meter with this MAC address."""
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            known = (
                self._get_reauth_entry()
                if self.source == SOURCE_REAUTH
                else self._get_reconfigure_entry()
            )
            await self.async_set_unique_id(mac)
            if self._replaces and mac != known.unique_id:
                self._abort_if_unique_id_configured()
                return
            self._abort_if_unique_id_mismatch(
                reason="other_meter",
                description_placeholders={"name": plain(known.title)},
            )
            return
        await self.async_set_unique_id(mac, raise_on_progress=False)
        self._abort_if_unique_id_configured()

    async def _async_set_key(self, asked: dict[str, Any]) -> bool:
        """Give the meter its first key; on failure note the error for the form."""
        self._error = None
        instance = await zeroconf.async_get_instance(self.hass)
        address = _address(asked)
        try:
            # Wrong under the key of zeros: it has a key by now, and it is this one
            # where only its answer was lost.
            with suppress(WrongKeyError):
                await set_key(address, instance)
            await probe(address, instance)
        except SourceError as error:
            self._note(error, asked)
            return False
        return True

    def _note(self, error: SourceError, asked: Mapping[str, Any]) -> None:
        """Keep an error and its placeholders for the form."""
        self._error = error
        self._placeholders = {
            "host": plain(asked[CONF_HOST]),
            "port": str(asked[CONF_PORT]),
            **error.placeholders,
        }

    def _form(
        self,
        step_id: str,
        schema: vol.Schema,
        values: Mapping[str, Any] | None,
        **placeholders: str,
    ) -> ConfigFlowResult:
        """Show a form with the previous values and the errors."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=form_errors(self._error, schema),
            description_placeholders=self._placeholders | placeholders,
        )


def _key(asked: Mapping[str, Any]) -> str | None:
    """Return the typed key, None for an empty field."""
    return asked.get(CONF_ENCRYPTION_KEY, "").strip() or None


def _address(asked: Mapping[str, Any]) -> NativeApiAddress:
    """Return the native API address from form values."""
    return NativeApiAddress(
        host=asked[CONF_HOST], port=asked[CONF_PORT], key=_key(asked)
    )


def _address_of(entry: NrjConfigEntry) -> dict[str, Any]:
    """Return where the meter of an entry is."""
    return {key: entry.data[key] for key in (CONF_HOST, CONF_PORT)}


def _entry_data(asked: Mapping[str, Any], meter: MeterDescription) -> dict[str, Any]:
    """Return the entry data of a meter."""
    key = _key(asked)
    return {
        CONF_SOURCE: SOURCE_NATIVE_API,
        CONF_HOST: asked[CONF_HOST],
        CONF_PORT: asked[CONF_PORT],
        CONF_METER: meter.as_dict(),
        **({} if key is None else {CONF_ENCRYPTION_KEY: key}),
    }
