"""The store's HTTP face: `/bucket/key` in S3's path style, its knobs, and a word on its health."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devstack.store import answers
from devstack.store.bucket_requests import BucketRequests
from devstack.store.errors import S3Error
from devstack.store.faults import Faults
from devstack.store.object_requests import ObjectRequests
from devstack.store.objects import Buckets
from devstack.store.signatures import Keys

HEALTH = "/-/health"


def application(folder: Path, keys: Keys, *, bucket: str | None = None, faults: Faults | None = None) -> Starlette:
    """The ASGI app of a store in this folder; `bucket` is made where it is not there."""
    faults, buckets = faults or Faults(), Buckets(folder)
    if bucket is not None and bucket not in buckets:
        buckets.create(bucket)
    store = _Endpoint(buckets, keys, faults)
    methods = ["GET", "PUT", "POST", "DELETE"]
    routes = [
        Route(HEALTH, _healthy, methods=["GET"]),
        *faults.routes(),
        Route("/", store.answer, methods=methods),
        Route("/{bucket}", store.answer, methods=methods),
        Route("/{bucket}/", store.answer, methods=methods),
        Route("/{bucket}/{key:path}", store.answer, methods=methods),
    ]
    # A player in a browser reads signed addresses from another origin; a bucket in production is told so.
    cors = Middleware(CORSMiddleware, allow_origins=["*"], allow_headers=["range"], expose_headers=["content-range", "etag"])
    return Starlette(routes=routes, middleware=[cors])


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("OK")


class _Endpoint:
    """One request in S3's order: faults, signature, bucket, object."""

    def __init__(self, buckets: Buckets, keys: Keys, faults: Faults) -> None:
        self._buckets, self._keys, self._faults = buckets, keys, faults

    async def answer(self, request: Request) -> Response:
        try:
            await self._faults.before(request.method)
            return await self._signed(request, self._keys.payload_of(request))
        except S3Error as error:
            refusal = answers.refusal(error, request.url.path)
            # Its body, if it has one, was not read: nothing more can come on this connection.
            refusal.headers["connection"] = "close"
            return refusal

    async def _signed(self, request: Request, payload: str) -> Response:
        bucket, key = request.path_params.get("bucket", ""), request.path_params.get("key", "")
        if key:
            return await ObjectRequests(self._buckets.get(bucket), key, request, payload, self._faults).answer()
        if bucket:
            return await BucketRequests(self._buckets, bucket, request, payload).answer()
        found = [("Bucket", [("Name", name), ("CreationDate", answers.moment(one.created))]) for name, one in self._buckets]
        return answers.xml("ListAllMyBucketsResult", [("Buckets", found)])
