"""The settings as a table for docs/operations.md: written by `make golden`, compared in a test."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from app.settings import Settings, environment_names
from app.settings.secret_files import holds_secret

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- settings: written by make golden -->", "<!-- settings end -->"


def table() -> str:
    """One row a setting: its variable, the other names that work, its default, what it means."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        variable, *others = environment_names(name)
        notes = [field.description or ""]
        if others:
            notes.append("Also " + ", ".join(f"`{other}`" for other in others) + ".")
        if holds_secret(field):
            notes.append(f"Or the file that `{variable}_FILE` names.")
        rows.append(f"| `{variable}` | {_default(field.default)} | {' '.join(notes)} |")
    return "\n".join(rows)


def page_with_table(page: str) -> str:
    """The page with the present table between its two marks; ValueError when it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def write() -> None:
    """Brings docs/operations.md up to date."""
    PAGE.write_text(page_with_table(PAGE.read_text()))


def _default(value: object) -> str:
    if value is PydanticUndefined or value is None or value == ():
        return ""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`"


if __name__ == "__main__":
    write()
