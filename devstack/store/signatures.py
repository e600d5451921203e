"""AWS signature version 4 as a server checks it: in the Authorization header, or in the address of a presigned request.

The rule: AWS, "Authenticating Requests (AWS Signature Version 4)" and "Signature calculation for query parameters".
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request

from devstack.store.errors import S3Error

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
SKEW: Final = timedelta(minutes=15)
LONGEST_LINK: Final = timedelta(days=7)
_HEADER: Final = re.compile(rf"{ALGORITHM} Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{{64}})")


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its own signature; `payload` is the body's hash, or the word for none."""

    credential: str
    signed_headers: list[str]
    signature: str
    date: str
    payload: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The one pair of keys of this store."""

    access_key: str
    secret_key: str

    def payload_of(self, request: Request) -> str:
        """The body's SHA-256 that was signed, or UNSIGNED-PAYLOAD. Raises S3Error for a request that isn't ours, too old or too new."""
        query = _pairs(request.url.query)
        claim = _presigned(dict(query), _now()) if "authorization" not in request.headers else _in_header(request, _now())
        access_key, _, scope = claim.credential.partition("/")
        if access_key != self.access_key:
            raise S3Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        if not hmac.compare_digest(self._signature(claim, scope, _canonical(request, query, claim)), claim.signature):
            raise S3Error("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
        return claim.payload

    def _signature(self, claim: _Claim, scope: str, canonical: str) -> str:
        text = "\n".join([ALGORITHM, claim.date, scope, sha256_of(canonical.encode())])
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        return _hmac(key, text).hex()


def sha256_of(body: bytes) -> str:
    """The hash of a body as a signature has it."""
    return hashlib.sha256(body).hexdigest()


def _in_header(request: Request, now: datetime) -> _Claim:
    match = _HEADER.fullmatch(request.headers["authorization"])
    if match is None:
        raise S3Error("AccessDenied", "The Authorization header is not of signature version 4.")
    date = request.headers.get("x-amz-date", "")
    if abs(now - _moment(date)) > SKEW:
        raise S3Error("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
    payload = request.headers.get("x-amz-content-sha256", "")
    if payload != UNSIGNED and not re.fullmatch("[0-9a-f]{64}", payload):
        raise S3Error("NotImplemented", "Only bodies in one piece, signed by their hash or unsigned, are taken.")
    return _Claim(match[1], match[2].split(";"), match[3], date, payload)


def _presigned(query: dict[str, str], now: datetime) -> _Claim:
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise S3Error("AccessDenied", "Access Denied.")
    date, seconds = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
    if not seconds.isdecimal() or timedelta(seconds=int(seconds)) > LONGEST_LINK:
        raise S3Error("InvalidArgument", "X-Amz-Expires must be a number of seconds, at most a week.")
    begin = _moment(date)
    if now < begin - SKEW or now > begin + timedelta(seconds=int(seconds)):
        raise S3Error("AccessDenied", "Request has expired")
    headers = query.get("X-Amz-SignedHeaders", "").split(";")
    return _Claim(query.get("X-Amz-Credential", ""), headers, query.get("X-Amz-Signature", ""), date, UNSIGNED)


def _canonical(request: Request, query: list[tuple[str, str]], claim: _Claim) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query if name != "X-Amz-Signature")
    headers = [f"{name}:{' '.join(', '.join(request.headers.getlist(name)).split())}" for name in claim.signed_headers]
    path = quote(unquote(request.scope["raw_path"].decode("ascii")), safe="/-_.~")
    return "\n".join([request.method, path, "&".join(map("=".join, pairs)), *headers, "", ";".join(claim.signed_headers), claim.payload])


def _pairs(query: str) -> list[tuple[str, str]]:
    split = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in split]


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise S3Error("AccessDenied", "The request has no valid date.") from None


def _now() -> datetime:
    return datetime.now(UTC)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
