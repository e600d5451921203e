"""Hides what looks like a secret in a finished log line: the second line of defence, behind code that logs none."""

import re
from typing import Final

HIDDEN: Final = "[hidden]"

_JWT = r"eyJ[\w-]{5,}(?:\.[\w-]*){1,2}"
_BEARER = r"bearer\s+(?P<bearer>[^\s'\",)}\]\\]+)"
_ADMIN = r"x-hasura-(?:admin-secret|access-key)[\\'\"\s]*[:=,][\\'\"\s]*(?:b['\"])?(?P<admin>[^'\",)}\]\\]+)"
_PASSWORD = r"(?<=://)[^\s:/@'\"]*:(?P<password>[^\s/@'\"]+)(?=@)"  # noqa: S105 - where one stands
_LINK = r"(?:/media/[a-z-]+/[0-9a-f-]{36}/|(?:\.ics|/embed/[0-9a-f-]{36}(?:/[a-z]+)?)\?link=)(?P<link>[\w.-]+)"
_PRESIGNED = r"x-amz-signature=(?P<presigned>[0-9a-f]+)"
_LINK_KEY = r"x-nchat-link-key[\\'\"\s]*[:=,][\\'\"\s]*(?P<link_key>[0-9a-f]+)"
_SECRETS: Final = re.compile("|".join((f"(?P<jwt>{_JWT})", _BEARER, _ADMIN, _PASSWORD, _LINK, _PRESIGNED, _LINK_KEY)), re.IGNORECASE)


def hide_secrets(line: str) -> str:
    """The line without web tokens, what follows `Bearer` or the admin secret's header, passwords in addresses, links to media and
    their key."""
    return _SECRETS.sub(_hidden, line)


def _hidden(found: re.Match[str]) -> str:
    assert found.lastgroup is not None  # noqa: S101 - every alternative has one
    begin, end = found.span(found.lastgroup)
    return found.string[found.start() : begin] + HIDDEN + found.string[end : found.end()]
