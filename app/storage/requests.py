"""The one way to the store: boto3, which blocks, in a few threads; each request observed, timed and ended, each failure the domain's."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from app.telemetry.moments import Observe, unobserved
from domain.recording_ports import StorageError, StorageRefused

Result = TypeVar("Result")
# Hears of each request: its method, the seconds it took, and `ok` or in a word what went wrong.
ObserveRequest = Callable[[str, float, str], None]

THREADS: Final = 16
# Seconds for all of a request, waiting for a thread and trying again included.
WITHIN: Final = 30.0
# Answers about one object that is not there.
ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
# Refusals that pass with time.
TRANSIENT: Final = frozenset(
    {
        "SlowDown",
        "RequestTimeout",
        "InternalError",
        "ServiceUnavailable",
        "500",
        "502",
        "503",
        "504",
        "429",
        "Throttling",
        "OperationAborted",
    }
)
# What an operator has to change, by the store's code. A HEAD has no body: its code is the status.
MEANINGS: Final[Mapping[str, str]] = {
    "NoSuchBucket": "there is no such bucket",
    "PermanentRedirect": "the bucket is in another region",
    "AuthorizationHeaderMalformed": "the bucket is in another region",
    "InvalidAccessKeyId": "it does not know the access key",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "ExpiredToken": "the key has expired",
    "RequestTimeTooSkewed": "the clocks are apart",
    "AccessDenied": "the key has no right to that",
    "401": "it does not know the key",
    "403": "the key is wrong, or has no right to that",
    "XMinioStorageFull": "it is full",
    "EntityTooLarge": "the object is too large",
    "QuotaExceeded": "it is full",
    "InsufficientStorage": "it is full",
    "507": "it is full",
}


class ObjectAbsent(Exception):
    """There is no such object."""


def uncounted(_method: str, _seconds: float, _outcome: str) -> None:
    """The default: nobody counts."""


class StoreRequests:
    """At most `THREADS` run at once, the rest waits in turn, and who waits too long is told so: nothing piles up behind a slow store."""

    def __init__(self, threads: ThreadPoolExecutor, observe: Observe = unobserved, count: ObserveRequest = uncounted) -> None:
        self._threads, self._observe, self._count = threads, observe, count
        self._places = asyncio.Semaphore(THREADS)

    async def __call__(self, name: str, work: Callable[[], Result], *, within: float = WITHIN) -> Result:
        """What `work` returns. Raises ObjectAbsent, StorageRefused, or StorageError when the outcome is unknown."""
        self._observe(f"{name}:before")
        began, outcome = time.perf_counter(), "cancelled"
        try:
            async with asyncio.timeout(within):
                result = await self._in_thread(work)
            outcome = "ok"
            return result
        except ClientError as error:
            failure = classified(name, error)
            outcome = _outcome(failure)
            raise failure from None
        except TimeoutError:
            outcome = "timeout"
            raise StorageError(f"{name}: no answer within {within:g} s") from None
        except (BotoCoreError, OSError) as error:
            outcome = "unreachable"
            raise StorageError(f"{name}: {type(error).__name__}") from None
        finally:
            self._count(name.rpartition(".")[2], time.perf_counter() - began, outcome)
            self._observe(f"{name}:after")

    async def directly(self, name: str, ask: Callable[[], Awaitable[Result | None]], *, within: float = WITHIN) -> Result | None:
        """The same of a request that takes no thread. None is no answer: it is counted when it is asked again. Raises StorageError."""
        began, outcome = time.perf_counter(), "cancelled"
        try:
            async with asyncio.timeout(within):
                result = await ask()
            outcome = "" if result is None else "ok"
            return result
        except TimeoutError:
            outcome = "timeout"
            raise StorageError(f"{name}: no answer in time") from None
        finally:
            if outcome:
                self._count(name.rpartition(".")[2], time.perf_counter() - began, outcome)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        await self._places.acquire()
        loop = asyncio.get_running_loop()

        def free(_done: "Future[Result]") -> None:
            # The last thread may outlive the loop.
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._places.release)

        running = self._threads.submit(work)
        # Whoever gave up waiting leaves the thread busy: its place is free when the thread is.
        running.add_done_callback(free)
        return await asyncio.wrap_future(running)


def classified(name: str, error: ClientError) -> Exception:
    """By the store's code; its text can quote keys of objects."""
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    if code in ABSENT:
        return ObjectAbsent()
    if code in TRANSIENT:
        return StorageError(f"{name}: {code}")
    return StorageRefused(f"{name}: {MEANINGS.get(code, 'refused')} ({code})")


def _outcome(failure: Exception) -> str:
    match failure:
        case ObjectAbsent():
            return "absent"
        case StorageRefused():
            return "refused"
    return "error"
