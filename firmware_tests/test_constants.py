"""Names of options that ESPHome has come from ESPHome."""

from .configurations import COMPONENTS
from .esphome_python import ask


def test_no_component_defines_a_name_that_esphome_has() -> None:
    """Import the CONF_ constants of ESPHome instead of writing them again."""
    assert (
        ask(
            f"""
            import ast
            import esphome.components.const as shared
            import esphome.const as const
            answer = [
                f"{{path.parent.name}}/{{path.name}}: {{target.id}}"
                for path in Path({str(COMPONENTS)!r}).rglob("*.py")
                for node in ast.parse(path.read_text()).body
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
                and target.id.startswith("CONF_")
                and (hasattr(const, target.id) or hasattr(shared, target.id))
            ]
            """
        )
        == []
    )
