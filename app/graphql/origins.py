"""Which pages may listen: a browser sends cookies along, but it says where the page comes from whenever that is not here."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from app.settings.own_hosts import host_name


def is_allowed_origin(headers: Mapping[str, str], allowed: Collection[str], own_hosts: Collection[str]) -> bool:
    """No Origin (not a browser), one of the settings (`*` allows any), or the service's own page under one of its own names.

    That Origin and Host are equal is not enough: so they are for any page whose name was made to lead here.
    """
    origin = headers.get("origin")
    if origin is None or "*" in allowed or origin in allowed:
        return True
    host = headers.get("host", "").lower()
    return host_name(host) in own_hosts and _host_of(origin) == host


def _host_of(origin: str) -> str | None:
    """None for what is no address."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
