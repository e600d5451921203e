"""Twirp, the protocol of LiveKit's API: protobuf or JSON by content type, errors as JSON."""

import json
from typing import Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from starlette.responses import Response

JSON: Final = "application/json"
PROTOBUF: Final = "application/protobuf"
STATUS: Final = {
    "bad_route": 404,
    "failed_precondition": 412,
    "invalid_argument": 400,
    "malformed": 400,
    "not_found": 404,
    "unauthenticated": 401,
    "unavailable": 503,
}
# Seconds that LiveKit waits for a node to answer for a participant before it gives up.
UNANSWERED_AFTER: Final = 3.0


class TwirpError(Exception):
    """An error as the API answers it, `after` seconds of waiting."""

    def __init__(self, code: str, message: str, *, meta: dict[str, str] | None = None, after: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.meta = meta or {}
        self.after = after

    def response(self) -> Response:
        """`{"code", "msg"}`, with `meta` only when there is some."""
        body = {"code": self.code, "msg": self.message} | ({"meta": self.meta} if self.meta else {})
        return Response(json.dumps(body, separators=(",", ":")), status_code=STATUS[self.code], media_type=JSON)


def behind_rpc(code: str, message: str, *, after: float = 0.0) -> TwirpError:
    """An error born behind LiveKit's internal RPC, which spoils its text."""
    return TwirpError(code, f"twirp error unknown: {message}", after=after)


def unanswered() -> TwirpError:
    """No node answers for that room or participant."""
    return behind_rpc("unavailable", "no response from servers", after=UNANSWERED_AFTER)


def bad_route(reason: str, method: str, path: str) -> TwirpError:
    """There is no such method, or it is asked in a wrong way."""
    return TwirpError("bad_route", reason, meta={"twirp_invalid_route": f"{method} {path}"})


def decode(message: Message, body: bytes, content_type: str) -> None:
    """Fills the request message. Raises TwirpError `malformed`."""
    try:
        if content_type == JSON:
            json_format.Parse(body, message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(body)
    except (json_format.ParseError, UnicodeDecodeError, DecodeError):
        kind = content_type.removeprefix("application/")
        raise TwirpError("malformed", f"the {kind} request could not be decoded") from None


def encode(message: Message, content_type: str) -> Response:
    """The reply in the request's form; JSON has snake_case names and spells out zero values."""
    if content_type == PROTOBUF:
        return Response(message.SerializeToString(), media_type=PROTOBUF)
    text = json_format.MessageToJson(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None)
    return Response(text, media_type=JSON)
