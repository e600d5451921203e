"""Headers of the page: what it may load, from where, and who may show it in a frame."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

# All comes from our own address but segments, which the store or the CDN has; hls.js hands them to the browser as a blob.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{media}; media-src 'self' blob:{media}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors {framing}"
)
PLAIN: Final[Mapping[str, str]] = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def page_headers(media: Collection[str], framing: Sequence[str]) -> Mapping[str, str]:
    """`media` are addresses that segments come from, `framing` the origins that may show the page in a frame; none named is any.

    A link stands in the page's own address, so it is kept nowhere.
    """
    origins = " ".join(sorted({_origin(address) for address in media}))
    named = "*" if not framing or "*" in framing else " ".join(["'self'", *framing])
    policy = POLICY.format(media=f" {origins}" if origins else "", framing=named)
    return {**PLAIN, "Content-Security-Policy": policy, "Cache-Control": "no-store"}


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
