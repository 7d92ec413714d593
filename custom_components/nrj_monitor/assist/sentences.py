"""Answers as sentences, in English and French."""

from collections.abc import Mapping, Sequence
from typing import Final

from ..catalog import Phase
from .grid import GridAnswer, Problem, Trouble, Verdict
from .phase_load import LoadAnswer
from .power import PowerAnswer

ENGLISH: Final = "en"

SPOKEN_DEVICES: Final = 3
"""How many of the greatest consumers one can listen to."""

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "and": " and ",
        "decimal": ".",
        "of_meter": "{name}: {answer}",
        "no_meter": "No meter is set up.",
        "offline": "The meter cannot be reached.",
        "stable": "The grid is stable: {facts}.",
        "disturbed": "The grid is not normal: {problems}.",
        "grid_unknown": "The meter has no valid measurement of the grid.",
        "frequency": "{value} Hz",
        "voltage": "{value} V",
        "voltages": "{low} to {high} V",
        Trouble.FREQUENCY_LOW: "the frequency is {value} Hz, below {limit} Hz",
        Trouble.FREQUENCY_HIGH: "the frequency is {value} Hz, above {limit} Hz",
        Trouble.VOLTAGE_LOW: "{phase} has {value} V, less than {limit} V",
        Trouble.VOLTAGE_HIGH: "{phase} has {value} V, more than {limit} V",
        Trouble.PHASE_LOST: "{phase} has no voltage",
        Trouble.INTERRUPTED: "there is no voltage",
        Trouble.UNBALANCED: "the voltages are unbalanced by {value} %, more than {limit} %",
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
        "stable": "Le réseau est stable : {facts}.",
        "disturbed": "Le réseau n’est pas normal : {problems}.",
        "grid_unknown": "Le compteur n’a pas de mesure valable du réseau.",
        "frequency": "{value} Hz",
        "voltage": "{value} V",
        "voltages": "{low} à {high} V",
        Trouble.FREQUENCY_LOW: "la fréquence est de {value} Hz, sous {limit} Hz",
        Trouble.FREQUENCY_HIGH: "la fréquence est de {value} Hz, au-dessus de {limit} Hz",
        Trouble.VOLTAGE_LOW: "{phase} a {value} V, moins de {limit} V",
        Trouble.VOLTAGE_HIGH: "{phase} a {value} V, plus de {limit} V",
        Trouble.PHASE_LOST: "{phase} est sans tension",
        Trouble.INTERRUPTED: "il n’y a pas de tension",
        Trouble.UNBALANCED: (
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


class Wording:
    """Says answers in one language; English where it has no words for it."""

    def __init__(self, language: str | None) -> None:
        """Speak `language`, a tag such as fr or fr-CA."""
        spoken = (language or ENGLISH).partition("-")[0]
        self._words = WORDS.get(spoken, WORDS[ENGLISH])

    def grid(self, answer: GridAnswer) -> str:
        """Say how the supply is."""
        words = self._words
        if answer.verdict is Verdict.UNKNOWN:
            said = words["grid_unknown"]
        elif answer.verdict is Verdict.STABLE:
            said = words["stable"].format(facts=", ".join(self._facts(answer)))
        else:
            problems = self._listed([self._problem(p) for p in answer.problems])
            said = words["disturbed"].format(problems=problems)
        return said + self._last(answer)

    def power(self, answer: PowerAnswer) -> str:
        """Say where the power goes."""
        words = self._words
        if answer.power is None:
            return words["power_unknown"]
        direction = "importing" if answer.power >= 0 else "exporting"
        said = words[direction].format(power=self._power(abs(answer.power)))
        if answer.heaviest is not None:
            said += words["heaviest"].format(
                phase=answer.heaviest,
                power=self._power(answer.phases[answer.heaviest]),
            )
        if answer.consumers:
            devices = [
                words["device"].format(
                    name=device.name, power=self._power(device.power)
                )
                for device in answer.consumers[:SPOKEN_DEVICES]
            ]
            said += words["devices"].format(devices=self._listed(devices))
        else:
            said += words["rest_only"]
        if answer.rest is not None:
            said += words["rest"].format(power=self._power(answer.rest))
        if answer.relays_on:
            said += words["relays_on"].format(relays=self._listed(answer.relays_on))
        return said

    def load(self, answer: LoadAnswer) -> str:
        """Say which phase is overloaded."""
        words = self._words
        if answer.heaviest is None:
            return words["current_unknown"]
        phases = answer.overloaded or answer.close or (answer.heaviest,)
        if answer.limit is None:
            key = "no_limit"
        elif answer.overloaded:
            key = "overloaded"
        else:
            key = "close" if answer.close else "fine"
        many = "_many" if len(phases) > 1 else ""
        return words[key + many].format(
            phase=self._listed(phases),
            current=self._listed(
                [self._number(answer.currents[phase], 1) for phase in phases]
            ),
            limit=self._number(answer.limit or 0.0),
        )

    def offline(self) -> str:
        """Say that the meter cannot be asked."""
        return self._words["offline"]

    def of_meters(self, answers: Sequence[tuple[str, str]]) -> str:
        """Say what each meter answers, by name where there is more than one."""
        if not answers:
            return self._words["no_meter"]
        if len(answers) == 1:
            return answers[0][1]
        of_meter = self._words["of_meter"]
        return " ".join(of_meter.format(name=n, answer=a) for n, a in answers)

    def _facts(self, answer: GridAnswer) -> list[str]:
        words = self._words
        facts = []
        if answer.frequency is not None:
            facts.append(
                words["frequency"].format(value=self._number(answer.frequency, 2))
            )
        if answer.voltages:
            low = self._number(min(answer.voltages.values()))
            high = self._number(max(answer.voltages.values()))
            facts.append(
                words["voltage"].format(value=low)
                if low == high
                else words["voltages"].format(low=low, high=high)
            )
        return facts

    def _problem(self, problem: Problem) -> str:
        decimals = {
            Trouble.FREQUENCY_LOW: 2,
            Trouble.FREQUENCY_HIGH: 2,
            Trouble.UNBALANCED: 1,
        }.get(problem.trouble, 0)
        return self._words[problem.trouble].format(
            phase=problem.phase,
            value=self._number(problem.value, decimals),
            limit=self._number(problem.limit, min(decimals, 1)),
        )

    def _last(self, answer: GridAnswer) -> str:
        words = self._words
        if answer.last is None or answer.minutes_ago is None:
            return ""
        ago = {0: words["just_now"], 1: words["minute_ago"]}.get(
            answer.minutes_ago,
            words["minutes_ago"].format(minutes=answer.minutes_ago),
        )
        key = "last" if answer.last.phase is None else "last_phase"
        return words[key].format(
            kind=words[answer.last.kind], phase=answer.last.phase, ago=ago
        )

    def _power(self, watts: float) -> str:
        if watts < 1000:
            return f"{self._number(watts)} W"
        return f"{self._number(watts / 1000, 1)} kW"

    def _number(self, value: float, decimals: int = 0) -> str:
        return f"{value:.{decimals}f}".replace(".", self._words["decimal"])

    def _listed(self, parts: Sequence[str] | Sequence[Phase]) -> str:
        *most, last = parts
        return ", ".join(most) + self._words["and"] + last if most else str(last)
