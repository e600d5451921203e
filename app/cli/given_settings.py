"""The settings of a command, or a sentence about what is wrong with them."""

from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.cli.refusal import Refusal
from app.settings import Settings, environment_names, load_settings


def settings_or_refuse(defaults: Path | None = None, **overrides: object) -> Settings:
    """The settings, or a Refusal that names each variable that is wrong, never its value."""
    try:
        return load_settings(defaults, **overrides)
    except ValidationError as error:
        raise Refusal("settings: " + "; ".join(_sentence(problem["loc"], problem["msg"]) for problem in error.errors())) from None
    except SettingsError as error:
        raise Refusal(f"settings: {error}") from None


def _sentence(place: tuple[int | str, ...], problem: str) -> str:
    problem = problem.removeprefix("Value error, ")
    if not place:
        return problem
    name = str(place[0])
    return f"{environment_names(name)[0] if name in Settings.model_fields else name}: {problem}"
