"""Who sent it: the page's own example verifies what is really sent, and nothing else."""

import base64
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.adapters.clock import SystemClock
from app.adapters.signed_webhook import SignedWebhook, open_http, signature, signing_key
from tests.livekit.serving import serving

pytestmark = pytest.mark.anyio
PAGE = Path(__file__).parents[2] / "docs" / "pushes.md"
Verify = Callable[[str, dict[str, str], bytes], bool]


@pytest.fixture
def verify() -> Verify:
    """The function of the documentation."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Verify] = {}
    exec(code, names)  # noqa: S102
    return names["verify"]


@pytest.mark.parametrize("prefix", ["", "whsec_"])
async def test_the_documented_example_verifies_what_is_sent(verify: Verify, prefix: str) -> None:
    secret = prefix + base64.b64encode(bytes(range(24))).decode()
    seen: list[tuple[dict[str, str], bytes]] = []

    async def receive(request: Request) -> Response:
        seen.append((dict(request.headers), await request.body()))
        return Response(status_code=202)

    async with serving(Starlette(routes=[Route("/", receive, methods=["POST"])])) as url, open_http(1) as http:
        assert await SignedWebhook(url, signing_key(secret), http, SystemClock()).post("id", b'{"a": 1}', within=5) == 202
    ((headers, body),) = seen
    assert verify(secret, headers, body)
    assert verify(secret, headers | {"webhook-signature": f"v1,bm90 {headers['webhook-signature']}"}, body)
    assert not verify(secret, headers, body + b" ")
    assert not verify(secret, headers | {"webhook-id": "other"}, body)
    assert not verify(secret, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, body)
    assert not verify(base64.b64encode(bytes(24)).decode(), headers, body)


def test_an_old_one_is_refused(verify: Verify) -> None:
    secret, before = base64.b64encode(bytes(32)).decode(), str(int(time.time()) - 400)
    headers = {"webhook-id": "id", "webhook-timestamp": before, "webhook-signature": signature(bytes(32), "id", before, b"{}")}
    assert not verify(secret, headers, b"{}")


def test_it_is_the_schemes_own_example() -> None:
    """The test vector of Standard Webhooks."""
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
