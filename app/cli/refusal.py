"""Why a command stops: one sentence that says what to do."""

from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.settings import Settings, load


class Refusal(Exception):
    """The command can't go on; the text is for the person at the terminal and holds no secret."""


def settings_or_refuse(defaults: Path | None = None, **overrides: object) -> Settings:
    """The settings, or a Refusal that names each variable that is wrong, never its value."""
    try:
        return load(defaults, **overrides)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}".lstrip(": ") for problem in error.errors()]
        raise Refusal("settings: " + "; ".join(problems)) from None
    except SettingsError as error:
        raise Refusal(f"settings: {error}") from None
