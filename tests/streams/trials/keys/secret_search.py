"""Where a secret came to light: in any text, in any form in which programs write it down."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

# Of a longer secret these are enough to know it by.
ENDING = 8


def forms(secret: str) -> Mapping[str, set[str]]:
    """By their names; in base64 also as a piece of something longer, which begins at any of three places."""
    raw = secret.encode()
    coded = {_within_base64(raw, before) for before in range(3)}
    return {
        "plain": {secret},
        "its end": {secret[-ENDING:]},
        "URL-encoded": {quote(secret, safe=""), quote_plus(secret), quote(secret)},
        "base64": coded | {one.replace("+", "-").replace("/", "_") for one in coded},
        "hexadecimal": {raw.hex(), raw.hex().upper()},
    }


def found(secrets: Mapping[str, str], texts: Mapping[str, str]) -> Iterator[str]:
    """What came to light where: `secrets` and `texts` by the names by which that is told, never the secret itself."""
    for name, secret in secrets.items():
        for form, writings in forms(secret).items():
            for place, text in texts.items():
                if any(writing in text for writing in writings):
                    yield f"{name} ({form}) in {place}"


def _within_base64(raw: bytes, before: int) -> str:
    """The letters that are the same whatever stands around it."""
    coded = b64encode(bytes(before) + raw).decode()
    return coded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
