"""What `nchat-rtc dev` tells the other commands: a file of settings that lives as long as it runs."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from app.settings import Settings, environment_names

ROOT = Path(__file__).resolve().parents[2]


def data_directory() -> Path:
    """Where `dev` keeps its database and secrets: NCHAT_DATA_DIR, else `.data` in the checkout, else in the current folder."""
    if chosen := os.environ.get("NCHAT_DATA_DIR"):
        return Path(chosen).resolve()
    return (ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()) / ".data"


def facts_file() -> Path:
    """The file of settings; absent when no `dev` runs here."""
    return data_directory() / "dev.env"


def write_facts(facts: Mapping[str, str]) -> Path:
    """Writes variables for the owner's eyes only, in one step: a reader sees all of them or none."""
    target = facts_file()
    draft = target.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_text("".join(f"{name}={_quoted(value)}\n" for name, value in facts.items()))
    draft.replace(target)
    return target


# What a client of the running service needs to know.
_TOLD = (
    "host", "port", "public_url", "log_format", "database_url", "jwt_secret", "admin_secret", "unauthorized_role", "encryption_keys",
    "livekit_url", "livekit_public_url", "livekit_api_key", "livekit_api_secret",
    "s3_endpoint", "s3_access_key", "s3_secret_key", "recording_bucket",
)  # fmt: skip


def facts_of(settings: Settings) -> dict[str, str]:
    """The variables that make another command's settings the same as these."""
    return {environment_names(name)[0]: text for name in _TOLD if (text := _plain(getattr(settings, name))) is not None}


def _plain(value: object) -> str | None:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(_plain(part) or "" for part in value) or None
    return None if value is None else str(value)


def remove_facts() -> None:
    facts_file().unlink(missing_ok=True)


def _quoted(value: str) -> str:
    """As dotenv reads it back."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
