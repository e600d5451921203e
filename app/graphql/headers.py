"""Headers of an ASGI scope as the dictionary that authentication reads."""

from collections.abc import Iterable

RawHeaders = Iterable[tuple[bytes, bytes]]


def headers_of(raw: RawHeaders) -> dict[str, str]:
    """Lower-case names to text; of a name that comes twice the last one counts, but cookies are joined."""
    headers: dict[str, str] = {}
    for raw_name, value in raw:
        name = raw_name.decode("latin-1").lower()
        text = value.decode("latin-1")
        if name == "cookie" and name in headers:
            text = f"{headers[name]}; {text}"
        headers[name] = text
    return headers
