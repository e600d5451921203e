"""Which access token a signalling request presents, read so that LiveKit behind the proxy can't read another one."""

import re
from collections.abc import Sequence
from typing import Final

# Every path at which livekit-server takes somebody into a room by websocket, and the two at which a client asks why it was refused. Its
# WHIP (`/whip/v1`), agents (`/agent`) and API (`/twirp`) are for nobody outside.
SIGNALLING_PATHS: Final = frozenset({"/rtc", "/rtc/validate", "/rtc/v1", "/rtc/v1/validate"})
PARAMETER: Final = "access_token"
# LiveKit makes of `publish=camera` a second person, `<identity>#camera`, as often as a token's owner likes: they fill the room, and a kick
# of the identity misses them. It is the one parameter by which a request changes whom its token names (a join request of `/rtc/v1` has no
# such field, and LiveKit reads no parameter beside it), and no client of today sends it. Only this one is refused, not every unknown one:
# a newer SDK with a parameter of its own must still get in.
ANOTHER_PERSON: Final = "publish"
# No parameter of LiveKit's needs percent-encoding in its name.
NAME: Final = re.compile(r"[A-Za-z0-9_.-]*", re.ASCII)
SCHEME: Final = "Bearer "
# A JWT needs no percent-encoding, so an encoded one is a second spelling that nobody's client writes.
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class NoToken(Exception):
    """The request presents no token at all."""


class NotAdmitted(Exception):
    """The request can't be let in; the text, which never quotes it, says why."""


def presented_token(uri: str, authorization: Sequence[str]) -> str:
    """The one token of a request for `uri` (path and query as sent) with these Authorization headers.

    LiveKit takes the header before the parameter, and of several the first. Whoever presents two different ones, or one in a spelling that
    two programs may read differently, is refused instead: NotAdmitted. Raises NoToken when there is none.
    """
    path, _, query = uri.partition("?")
    if path not in SIGNALLING_PATHS:
        raise NotAdmitted("not a path of signalling")
    presented = {*_in_headers(authorization), *_in_query(query)}
    if not presented:
        raise NoToken
    if len(presented) > 1:
        raise NotAdmitted("two different tokens")
    (token,) = presented
    if not TOKEN.fullmatch(token):
        raise NotAdmitted("not a token")
    return token


def _in_headers(authorization: Sequence[str]) -> Sequence[str]:
    if len(authorization) > 1:
        raise NotAdmitted("several Authorization headers")
    if not all(value.startswith(SCHEME) for value in authorization):
        raise NotAdmitted("an Authorization header of another scheme")
    return [value.removeprefix(SCHEME) for value in authorization]


def _in_query(query: str) -> Sequence[str]:
    # Some programs separate by `;` too; Go leaves out what holds one.
    if ";" in query:
        raise NotAdmitted("a query with `;`")
    named = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]
    if not all(NAME.fullmatch(name) for name, _ in named):
        raise NotAdmitted("a parameter spelled in another way")
    if any(name.lower() == ANOTHER_PERSON for name, _ in named):
        raise NotAdmitted("a second person of the same token")
    tokens = [(name, value) for name, value in named if name.lower() == PARAMETER]
    if len(tokens) > 1 or any(name != PARAMETER for name, _ in tokens):
        raise NotAdmitted("a token parameter that is repeated or spelled in another way")
    return [value for _, value in tokens]
