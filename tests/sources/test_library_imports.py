"""The native API's library is imported where its API is wrapped, and nowhere else."""

import ast
from pathlib import Path

INTEGRATION = Path(__file__).parents[2] / "custom_components" / "nrj_monitor"
WRAPPERS = {
    "sources/native_api/client.py",
    "sources/native_api/device_model.py",
}


def imported(path: Path) -> set[str]:
    """Return the top-level packages a file imports, also within functions."""
    packages: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            packages.add(node.module.split(".")[0])
    return packages


def test_only_the_wrappers_import_aioesphomeapi() -> None:
    """A new release of the library can break these files only."""
    importers = {
        path.relative_to(INTEGRATION).as_posix()
        for path in INTEGRATION.rglob("*.py")
        if "aioesphomeapi" in imported(path)
    }
    assert importers == WRAPPERS
