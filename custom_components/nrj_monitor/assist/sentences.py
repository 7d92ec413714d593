"""Responses of the queries as sentences, in English and French: pure rules."""

from collections.abc import Mapping, Sequence
from typing import Final

from ..catalog import Phase
from .grid import GridState, Problem, ProblemKind, Verdict
from .phase_load import PhaseLoad
from .power import PowerUse

ENGLISH: Final = "en"

MAX_SPOKEN_DEVICES: Final = 3
"""Number of the greatest consumers in a response; more are hard to listen to."""

RESPONSES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "and": " and ",
        "decimal": ".",
        "of_meter": "{name}: {answer}",
        "no_meter": "No meter is set up.",
        "offline": "The meter cannot be reached.",
        "may_not_control": "You have no right to control {load}.",
        "stable": "The grid is stable: {facts}.",
        "disturbed": "The grid is not normal: {problems}.",
        "grid_unknown": "The meter has no valid measurement of the grid.",
        "frequency": "{value} Hz",
        "voltage": "{value} V",
        "voltages": "{low} to {high} V",
        ProblemKind.FREQUENCY_LOW: "the frequency is {value} Hz, below {limit} Hz",
        ProblemKind.FREQUENCY_HIGH: "the frequency is {value} Hz, above {limit} Hz",
        ProblemKind.VOLTAGE_LOW: "{phase} has {value} V, less than {limit} V",
        ProblemKind.VOLTAGE_HIGH: "{phase} has {value} V, more than {limit} V",
        ProblemKind.PHASE_LOST: "{phase} has no voltage",
        ProblemKind.INTERRUPTED: "there is no voltage",
        ProblemKind.UNBALANCED: "the voltages are unbalanced by {value} %, more than {limit} %",
        "last": " The last disturbance was {kind}, {ago}.",
        "last_phase": " The last disturbance was {kind} on {phase}, {ago}.",
        "just_now": "just now",
        "minute_ago": "a minute ago",
        "minutes_ago": "{minutes} minutes ago",
        "dip": "a voltage dip",
        "swell": "a voltage swell",
        "interruption": "an interruption",
        "phase_loss": "the loss of a phase",
        "wrong_sequence": "a wrong phase sequence",
        "power_unknown": "The meter has no valid measurement of the power.",
        "importing": "The house draws {power} from the grid.",
        "exporting": "The house feeds {power} into the grid.",
        "heaviest": " {phase} draws most, {power}.",
        "devices": " {devices}.",
        "device": "{name} uses {power}",
        "rest": " {power} more goes to what has no meter of its own.",
        "rest_only": " No device tells what it uses.",
        "relays_on": " Switched on: {relays}.",
        "current_unknown": "The meter has no valid measurement of the current.",
        "overloaded": "{phase} is overloaded: {current} A, the main fuse is for {limit} A.",
        "overloaded_many": (
            "{phase} are overloaded: {current} A, the main fuse is for {limit} A."
        ),
        "close": "No phase is overloaded, but {phase} nearly is: {current} of {limit} A.",
        "close_many": (
            "No phase is overloaded, but {phase} nearly are: {current} of {limit} A."
        ),
        "fine": "No phase is overloaded. The most loaded is {phase}, {current} of {limit} A.",
        "no_limit": (
            "I do not know what your main fuse allows: it can be set in the options of "
            "the meter. The most loaded phase is {phase}, {current} A."
        ),
    },
    "fr": {
        "and": " et ",
        "decimal": ",",
        "of_meter": "{name} : {answer}",
        "no_meter": "Aucun compteur n’est configuré.",
        "offline": "Le compteur est injoignable.",
        "may_not_control": "Vous n’avez pas le droit de commander {load}.",
        "stable": "Le réseau est stable : {facts}.",
        "disturbed": "Le réseau n’est pas normal : {problems}.",
        "grid_unknown": "Le compteur n’a pas de mesure valable du réseau.",
        "frequency": "{value} Hz",
        "voltage": "{value} V",
        "voltages": "{low} à {high} V",
        ProblemKind.FREQUENCY_LOW: "la fréquence est de {value} Hz, sous {limit} Hz",
        ProblemKind.FREQUENCY_HIGH: "la fréquence est de {value} Hz, au-dessus de {limit} Hz",
        ProblemKind.VOLTAGE_LOW: "{phase} a {value} V, moins de {limit} V",
        ProblemKind.VOLTAGE_HIGH: "{phase} a {value} V, plus de {limit} V",
        ProblemKind.PHASE_LOST: "{phase} est sans tension",
        ProblemKind.INTERRUPTED: "il n’y a pas de tension",
        ProblemKind.UNBALANCED: (
            "les tensions sont déséquilibrées de {value} %, plus de {limit} %"
        ),
        "last": " La dernière perturbation était {kind}, {ago}.",
        "last_phase": " La dernière perturbation était {kind} sur {phase}, {ago}.",
        "just_now": "à l’instant",
        "minute_ago": "il y a une minute",
        "minutes_ago": "il y a {minutes} minutes",
        "dip": "un creux de tension",
        "swell": "une surtension",
        "interruption": "une coupure",
        "phase_loss": "la perte d’une phase",
        "wrong_sequence": "un ordre de phases inversé",
        "power_unknown": "Le compteur n’a pas de mesure valable de la puissance.",
        "importing": "La maison soutire {power} du réseau.",
        "exporting": "La maison injecte {power} dans le réseau.",
        "heaviest": " {phase} soutire le plus, {power}.",
        "devices": " {devices}.",
        "device": "{name} consomme {power}",
        "rest": " {power} de plus vont à ce qui n’a pas son propre compteur.",
        "rest_only": " Aucun appareil ne dit ce qu’il consomme.",
        "relays_on": " Allumés : {relays}.",
        "current_unknown": "Le compteur n’a pas de mesure valable du courant.",
        "overloaded": (
            "{phase} est en surcharge : {current} A, le fusible principal est prévu pour "
            "{limit} A."
        ),
        "overloaded_many": (
            "{phase} sont en surcharge : {current} A, le fusible principal est prévu pour "
            "{limit} A."
        ),
        "close": (
            "Aucune phase n’est en surcharge, mais {phase} l’est presque : {current} sur "
            "{limit} A."
        ),
        "close_many": (
            "Aucune phase n’est en surcharge, mais {phase} le sont presque : {current} sur "
            "{limit} A."
        ),
        "fine": (
            "Aucune phase n’est en surcharge. La plus chargée est {phase}, {current} sur "
            "{limit} A."
        ),
        "no_limit": (
            "Je ne sais pas ce que permet votre fusible principal : il se règle dans les "
            "options du compteur. La phase la plus chargée est {phase}, {current} A."
        ),
    },
}


class ResponseSentences:
    """Makes responses in a language, in English for languages without a table."""

    def __init__(self, language: str | None) -> None:
        """Select the table of `language`, a tag such as fr or fr-CA."""
        spoken = (language or ENGLISH).partition("-")[0]
        self._texts = RESPONSES.get(spoken, RESPONSES[ENGLISH])

    def grid(self, state: GridState) -> str:
        """Return the response about the state of the grid."""
        texts = self._texts
        if state.verdict is Verdict.UNKNOWN:
            response = texts["grid_unknown"]
        elif state.verdict is Verdict.STABLE:
            response = texts["stable"].format(facts=", ".join(self._facts(state)))
        else:
            problems = self._join([self._problem(p) for p in state.problems])
            response = texts["disturbed"].format(problems=problems)
        return response + self._last(state)

    def power(self, use: PowerUse) -> str:
        """Return the response about the power use."""
        texts = self._texts
        if use.power is None:
            return texts["power_unknown"]
        direction = "importing" if use.power >= 0 else "exporting"
        response = texts[direction].format(power=self._power(abs(use.power)))
        if use.heaviest is not None:
            response += texts["heaviest"].format(
                phase=use.heaviest,
                power=self._power(use.phases[use.heaviest]),
            )
        if use.consumers:
            devices = [
                texts["device"].format(
                    name=device.name, power=self._power(device.power)
                )
                for device in use.consumers[:MAX_SPOKEN_DEVICES]
            ]
            response += texts["devices"].format(devices=self._join(devices))
        else:
            response += texts["rest_only"]
        if use.rest is not None:
            response += texts["rest"].format(power=self._power(use.rest))
        if use.relays_on:
            response += texts["relays_on"].format(relays=self._join(use.relays_on))
        return response

    def phase_load(self, load: PhaseLoad) -> str:
        """Return the response about the load of the phases."""
        texts = self._texts
        if load.heaviest is None:
            return texts["current_unknown"]
        phases = load.overloaded or load.close or (load.heaviest,)
        if load.limit is None:
            key = "no_limit"
        elif load.overloaded:
            key = "overloaded"
        else:
            key = "close" if load.close else "fine"
        many = "_many" if len(phases) > 1 else ""
        return texts[key + many].format(
            phase=self._join(phases),
            current=self._join(
                [self._number(load.currents[phase], 1) for phase in phases]
            ),
            limit=self._number(load.limit or 0.0),
        )

    def offline(self) -> str:
        """Return the response of a meter without a link."""
        return self._texts["offline"]

    def may_not_control(self, load: str) -> str:
        """Return the sentence for who may not control a load."""
        return self._texts["may_not_control"].format(load=load)

    def meters(self, responses: Sequence[tuple[str, str]]) -> str:
        """Join the responses of the meters, with names where there are several."""
        if not responses:
            return self._texts["no_meter"]
        if len(responses) == 1:
            return responses[0][1]
        of_meter = self._texts["of_meter"]
        return " ".join(of_meter.format(name=n, answer=a) for n, a in responses)

    def _facts(self, state: GridState) -> list[str]:
        texts = self._texts
        facts = []
        if state.frequency is not None:
            facts.append(
                texts["frequency"].format(value=self._number(state.frequency, 2))
            )
        if state.voltages:
            low = self._number(min(state.voltages.values()))
            high = self._number(max(state.voltages.values()))
            facts.append(
                texts["voltage"].format(value=low)
                if low == high
                else texts["voltages"].format(low=low, high=high)
            )
        return facts

    def _problem(self, problem: Problem) -> str:
        decimals = {
            ProblemKind.FREQUENCY_LOW: 2,
            ProblemKind.FREQUENCY_HIGH: 2,
            ProblemKind.UNBALANCED: 1,
        }.get(problem.kind, 0)
        return self._texts[problem.kind].format(
            phase=problem.phase,
            value=self._number(problem.value, decimals),
            limit=self._number(problem.limit, min(decimals, 1)),
        )

    def _last(self, state: GridState) -> str:
        texts = self._texts
        if state.last is None or state.minutes_ago is None:
            return ""
        ago = {0: texts["just_now"], 1: texts["minute_ago"]}.get(
            state.minutes_ago,
            texts["minutes_ago"].format(minutes=state.minutes_ago),
        )
        key = "last" if state.last.phase is None else "last_phase"
        return texts[key].format(
            kind=texts[state.last.kind], phase=state.last.phase, ago=ago
        )

    def _power(self, watts: float) -> str:
        if watts < 1000:
            return f"{self._number(watts)} W"
        return f"{self._number(watts / 1000, 1)} kW"

    def _number(self, value: float, decimals: int = 0) -> str:
        return f"{value:.{decimals}f}".replace(".", self._texts["decimal"])

    def _join(self, parts: Sequence[str] | Sequence[Phase]) -> str:
        *most, last = parts
        return ", ".join(most) + self._texts["and"] + last if most else str(last)
