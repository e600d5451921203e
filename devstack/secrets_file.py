"""Secrets of the development stack: made once, kept in the data folder for the owner's eyes, so that tokens outlive a restart."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DevelopmentSecrets:
    """32 random bytes each, in URL-safe base64 (with padding: it is also the form of an encryption key)."""

    jwt_key: str
    admin_secret: str
    livekit_api_secret: str
    encryption_key: str
    store_secret_key: str
    link_key: str


class SecretsUnreadable(Exception):
    """The file is there and makes no sense; the message says what to do."""


def load_or_create(folder: Path) -> DevelopmentSecrets:
    """Those of the folder's `secrets.json`; a file that lacks one is completed. Raises SecretsUnreadable."""
    path = folder / "secrets.json"
    known = _read(path) if path.exists() else {}
    made = asdict(_random()) | {name: value for name, value in known.items() if name in DevelopmentSecrets.__slots__}
    if made != known:
        path.touch(mode=0o600)
        path.write_text(json.dumps(made, indent=2) + "\n")
    return DevelopmentSecrets(**made)


def _read(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text())
    except json.JSONDecodeError:
        known = None
    if not isinstance(known, dict):
        raise SecretsUnreadable(f"{path} is damaged: remove it, and new secrets are made (older tokens end)")
    return known


def _random() -> DevelopmentSecrets:
    return DevelopmentSecrets(*(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() for _ in DevelopmentSecrets.__slots__))
