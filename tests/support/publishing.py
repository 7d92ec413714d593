"""Rules of the checks at an integration's publication, for offline use.

Those of Home Assistant's hassfest for custom integrations and of the HACS action, as far
as they concern files. Both run online in .github/workflows/validate.yaml; neither can be
installed from a package registry.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from homeassistant.const import Platform
import probatio as vol

VERSIONS = [
    AwesomeVersionStrategy.CALVER,
    AwesomeVersionStrategy.SEMVER,
    AwesomeVersionStrategy.SIMPLEVER,
    AwesomeVersionStrategy.BUILDVER,
    AwesomeVersionStrategy.PEP440,
]


def https(value: Any) -> str:
    """Take an address of a page."""
    if urlparse(str(value)).scheme != "https" or not urlparse(str(value)).netloc:
        raise vol.Invalid(f"{value} is no https address")
    return str(value)


def version(value: Any) -> str:
    """Accept a version with an order among others."""
    if AwesomeVersion(str(value)).strategy not in VERSIONS:
        raise vol.Invalid(f"{value} is no version")
    return str(value)


def lower(value: Any) -> str:
    """Accept a lower-case value, for discovery's comparison."""
    if str(value) != str(value).lower():
        raise vol.Invalid(f"{value} is not in lower case")
    return str(value)


MANIFEST = vol.Schema(
    {
        vol.Required("domain"): str,
        vol.Required("name"): str,
        vol.Optional("after_dependencies"): [str],
        vol.Required("codeowners"): vol.All([vol.Match(r"^@[\w/-]+$")], vol.Length(1)),
        vol.Optional("config_flow"): bool,
        vol.Optional("dependencies"): [str],
        vol.Required("documentation"): https,
        vol.Required("integration_type"): vol.In(
            ["device", "entity", "hardware", "helper", "hub", "service", "system"]
        ),
        vol.Required("iot_class"): vol.In(
            [
                "assumed_state",
                "calculated",
                "cloud_polling",
                "cloud_push",
                "local_polling",
                "local_push",
            ]
        ),
        vol.Required("issue_tracker"): https,
        vol.Optional("loggers"): [str],
        vol.Optional("mqtt"): [str],
        vol.Optional("quality_scale"): vol.In(
            ["bronze", "silver", "gold", "platinum", "custom"]
        ),
        vol.Optional("requirements"): [str],
        vol.Optional("single_config_entry"): bool,
        vol.Required("version"): version,
        vol.Optional("zeroconf"): [
            vol.Any(
                str,
                vol.Schema(
                    {
                        vol.Required("type"): vol.Match(
                            r"^_[a-z0-9-]+\._(tcp|udp)\.local\.$"
                        ),
                        vol.Optional("name"): lower,
                        vol.Optional("properties"): {str: lower},
                    }
                ),
            )
        ],
    }
)

HACS = vol.Schema(
    {
        vol.Required("name"): str,
        vol.Optional("content_in_root"): bool,
        vol.Optional("country"): vol.Any(str, [str]),
        vol.Optional("filename"): str,
        vol.Optional("hacs"): version,
        vol.Optional("hide_default_branch"): bool,
        vol.Optional("homeassistant"): version,
        vol.Optional("persistent_directory"): str,
        vol.Optional("render_readme"): bool,
        vol.Optional("zip_release"): bool,
    }
)

IMPORTABLE = {platform.value for platform in Platform} | {
    "automation",
    "conversation",
    "device_automation",
    "frontend",
    "homeassistant",
    "input_boolean",
    "input_number",
    "logbook",
    "media_source",
    "persistent_notification",
    "person",
    "script",
    "sun",
    "system_health",
    "webhook",
    "websocket_api",
    "zone",
}
"""Integrations of Home Assistant that may be imported without being named."""


class _Imports(ast.NodeVisitor):
    """Collects which integrations of Home Assistant a module imports."""

    def __init__(self) -> None:
        self.domains: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for name in node.names:
            self._add(name.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == "homeassistant.components":
            self.domains.update(name.name for name in node.names)
        elif node.module is not None:
            self._add(node.module)

    def _add(self, module: str) -> None:
        if module.startswith("homeassistant.components."):
            self.domains.add(module.split(".")[2])


def undeclared(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Yield imports of integrations missing from the manifest."""
    named = IMPORTABLE | {
        *manifest.get("dependencies", ()),
        *manifest.get("after_dependencies", ()),
    }
    for file in sorted(folder.rglob("*.py")):
        imports = _Imports()
        imports.visit(ast.parse(file.read_text()))
        for domain in sorted(imports.domains - named):
            # A platform for another integration is loaded by that one only.
            if not (folder / f"{domain}.py").is_file():
                yield f"{file.relative_to(folder)} imports {domain}"
