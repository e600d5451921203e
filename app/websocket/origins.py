"""Which pages may open a websocket: a browser sends cookies along, but it always says where the page comes from."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit


def is_allowed_origin(headers: Mapping[str, str], allowed: Collection[str]) -> bool:
    """No Origin (not a browser), the service's own, or one of the settings; `*` allows any."""
    origin = headers.get("origin")
    if origin is None or "*" in allowed or origin in allowed:
        return True
    parts = urlsplit(origin)
    return bool(parts.netloc) and parts.netloc.lower() == headers.get("host", "").lower()
