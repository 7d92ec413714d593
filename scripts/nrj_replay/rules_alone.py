"""Imports the integration's pure rules without Home Assistant, whose import takes seconds."""

import sys
from types import ModuleType

from nrj_tools import ROOT

PACKAGE = "custom_components.nrj_monitor"


def use_rules_alone() -> None:
    """Have the integration's rooms imported without running its own `__init__`."""
    package = ModuleType(PACKAGE)
    package.__path__ = [str(ROOT.joinpath(*PACKAGE.split(".")))]
    sys.modules.setdefault(PACKAGE, package)
