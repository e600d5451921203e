"""What a webhook gets of a request beside its headers, and what it gives for the answer."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Exchange:
    """`body` is the request as it came, None where there is none; `set_cookies` are what the webhook sets at the caller."""

    body: bytes | None = None
    set_cookies: list[str] = field(default_factory=list)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """For the answer."""
        return [(b"set-cookie", cookie.encode("latin-1", "replace")) for cookie in self.set_cookies]
