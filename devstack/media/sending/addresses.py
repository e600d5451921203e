"""Addresses to send to: what of a request names them, and how they are shown."""

import re
from dataclasses import dataclass
from typing import Any, Final

from livekit import api

from devstack.media.bus import PsrpcError

# rtmp(s)://host(/path)/application/key, perhaps with ` live=1` behind it.
RTMP: Final = re.compile(r"^(rtmps?://)(.*/)(.*/)(\S*)( live=1)?$")
# So many characters of each end of a key are shown at most, and no more than a third of it.
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class StreamsWanted:
    """Where to send at the start; nowhere yet, with others to come."""

    urls: tuple[str, ...]


def streams_wanted(wanted: Any, *, alone: bool) -> StreamsWanted | None:
    """The one stream output of a request, or None. `alone`: there is no other output. Raises PsrpcError (invalid_argument)."""
    outputs = list(wanted.stream_outputs)
    if "stream" in wanted.DESCRIPTOR.fields_by_name and wanted.HasField("stream"):
        outputs.append(wanted.stream)
    if not outputs:
        return None
    if len(outputs) > 1:
        raise _invalid("multiple stream outputs are not supported")
    (output,) = outputs
    if output.protocol == api.StreamProtocol.SRT:
        raise _invalid("streams are sent by RTMP here")
    if not output.urls and (alone or not output.protocol):
        raise _invalid("request has missing or invalid field: stream urls")
    return StreamsWanted(tuple(map(checked, output.urls)))


def checked(url: str) -> str:
    """Raises PsrpcError (invalid_argument) for what is no address of RTMP."""
    if not RTMP.match(url):
        raise _invalid("request has missing or invalid field: stream url")
    return url


def redacted_address(url: str) -> str:
    """The address with the ends of its key in braces."""
    found = RTMP.match(url)
    if found is None:
        return url
    *before, key, after = found.groups(default="")
    many = min(SHOWN, len(key) // 3)
    return "".join([*before, f"{{{key[:many]}...{key[len(key) - many :]}}}", after])


def _invalid(message: str) -> PsrpcError:
    return PsrpcError("invalid_argument", message)
