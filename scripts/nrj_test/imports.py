"""Read the imports between the repository's modules from their sources, without running any."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOTS: Mapping[str, str] = {
    "custom_components": ".",
    "tests": ".",
    "firmware_tests": ".",
    "scripts": "scripts",
}
"""Folders of modules, and the folder from which each is imported."""


class Imports:
    """The modules of a repository and the modules each imports."""

    def __init__(self, root: Path) -> None:
        """Read all modules below `root`."""
        self._files = dict(_modules(root))
        self.imported: dict[str, set[str]] = {
            name: set(_names(name, path)) for name, path in self._files.items()
        }
        self._modules = {path.resolve(): name for name, path in self._files.items()}

    def module_of(self, path: Path) -> str | None:
        """Return the name of a file's module; None if the file is none of ours."""
        return self._modules.get(path.resolve())

    def names(self, module: str, packages: Iterable[str]) -> bool:
        """Return whether a module itself imports any of `packages`."""
        wanted = tuple(packages)
        below = tuple(f"{package}." for package in wanted)
        return any(
            name in wanted or name.startswith(below)
            for name in self.imported.get(module, ())
        )

    def importers(self, module: str) -> set[str]:
        """Return the modules with an import of `module`, or of something in the module."""
        return {name for name, names in self.imported.items() if module in names}


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    for folder, base in ROOTS.items():
        for path in sorted((root / folder).rglob("*.py")):
            parts = list(path.relative_to(root / base).with_suffix("").parts)
            if parts[-1] == "__init__":
                parts.pop()
            yield ".".join(parts), path


def _names(module: str, path: Path) -> Iterator[str]:
    """Yield a file's imports: modules, and names of possible modules."""
    package = module.split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield base
            for alias in node.names:
                yield f"{base}.{alias.name}"
