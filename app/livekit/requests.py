"""The one way to LiveKit's API: observed, timed, and every failure as one of the domain's errors."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import aiohttp
from livekit.api import ServerError

from app.telemetry.moments import Observe, unobserved
from domain.ports import MediaError, MediaRefused, MediaSilent

Reply = TypeVar("Reply")

# 408 and 429 pass with time; 404 and 412 are answers about the room's state that a caller may expect.
TRANSIENT: Final = frozenset({408, 429})


# Hears of each request: its method, the seconds it took, and `ok` or in a word what went wrong.
ObserveRequest = Callable[[str, float, str], None]


def uncounted(_method: str, _seconds: float, _outcome: str) -> None:
    """The default: nobody counts."""


class MediaAbsent(MediaError):
    """The media server knows no such room or participant."""


class MediaUnanswered(MediaError):
    """The media server is up, but no node answered for that participant: absent, or its node is gone."""


# Absence is an answer that a caller may expect.
_OUTCOMES: Final[dict[type[MediaError], str]] = {
    MediaAbsent: "absent",
    MediaUnanswered: "unanswered",
    MediaRefused: "refused",
    MediaError: "error",
}


class Requests:
    """Sends requests with a name (`rooms.create_room`) and a time limit in seconds.

    `observe` hears of the moments before and after each, `count` of what became of it.
    """

    def __init__(self, observe: Observe = unobserved, count: ObserveRequest = uncounted) -> None:
        self._observe, self._count = observe, count

    async def __call__(self, name: str, send: Callable[[], Awaitable[Reply]], *, within: float, repeatable: bool = True) -> Reply:
        """The reply of `send`. Raises MediaAbsent, MediaUnanswered, MediaRefused, or MediaError when the outcome is unknown,
        MediaSilent when there was no answer.

        A kept-alive connection that turns out closed is replaced once, unless what is sent is not `repeatable`.
        """
        self._observe(f"{name}:before")
        began, outcome = time.perf_counter(), "cancelled"
        try:
            async with asyncio.timeout(within):
                reply = await (once_more_on_stale_connection(send) if repeatable else send())
            outcome = "ok"
            return reply
        except ServerError as error:
            failure = classified(name, error)
            outcome = _OUTCOMES[type(failure)]
            raise failure from None
        except TimeoutError:
            outcome = "timeout"
            raise MediaSilent(f"{name}: no answer within {within:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            outcome = "unreachable"
            raise MediaSilent(f"{name}: {type(error).__name__}") from None
        finally:
            self._count(name.rpartition(".")[2], time.perf_counter() - began, outcome)
            self._observe(f"{name}:after")


async def once_more_on_stale_connection(send: Callable[[], Awaitable[Reply]]) -> Reply:
    """Sends again when a kept-alive connection was found closed, as happens to the first call after an idle spell."""
    try:
        return await send()
    except (aiohttp.ServerDisconnectedError, ConnectionResetError):
        return await send()


def classified(name: str, error: ServerError) -> MediaError:
    """LiveKit's error by status and code; its text, which can echo a token, is never kept."""
    said = f"{name}: {error.status} {error.code}"
    if error.status == 404 and error.code == "not_found":
        return MediaAbsent(said)
    if error.status == 503 and error.code == "unavailable":
        return MediaUnanswered(said)
    if 400 <= error.status < 500 and error.status not in TRANSIENT:
        return MediaRefused(said)
    return MediaError(said)
