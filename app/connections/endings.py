"""Why a connection ends before its time, and what it is told: HTTP statuses with a sentence."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Ending:
    """`reason` is the metric's label; without a status nothing is said."""

    reason: str
    status: int | None = None
    words: str = ""

    def response(self) -> bytes:
        """A complete HTTP response that ends the connection; empty when there is nothing to say."""
        if self.status is None:
            return b""
        body = self.words.encode()
        phrase = HTTPStatus(self.status).phrase
        return (
            f"HTTP/1.1 {self.status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        ).encode() + body


NOT_HTTP = Ending("not-http", 400, "This is not a valid HTTP/1.1 request.")
URL_TOO_LONG = Ending("url-too-long", 414, "The URL is too long: send what is long in the body of a POST request.")
HEAD_TOO_LARGE = Ending("head-too-large", 431, "The headers are too large or too many: send fewer and shorter headers, cookies among them.")
BODY_TOO_FINE = Ending("body-too-fine", 400, "The body comes in pieces of a few bytes: send larger chunks.")
HEAD_TOO_SLOW = Ending("head-too-slow", 408, "The headers of the request did not arrive in time.")
BODY_TOO_SLOW = Ending("body-too-slow", 408, "The body of the request did not arrive in time.")
SHUTTING_DOWN = Ending("shutting-down", 503, "The service is shutting down: send the request again.")
ADDRESS_FULL = Ending("address-full", 503, "Too many connections from your address: close some, or use one for several requests.")
PROCESS_FULL = Ending("process-full", 503, "Too many connections: try again in a moment.")

IDLE = Ending("idle")
PIPELINE_FULL = Ending("pipeline-full")
UNREAD = Ending("unread")
UNSENT_TOO_MUCH = Ending("unsent-too-much")
TOO_MANY_MESSAGES = Ending("too-many-messages")
