"""Where a cookie may say who asks, `*` names no page: it goes along from all of them, and a websocket asks no browser first."""

from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from tests.support.whole_service import whole_service
from tests.transport.fakes import websocket

pytestmark = pytest.mark.anyio
NAMED, EVIL = "https://app.example", "https://evil.example"


async def status_from(address: str, origin: str) -> int:
    try:
        async with websocket(address, origin=origin, open_timeout=30):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize(("hook", "evil"), [("http://127.0.0.1:9/hook", 403), (None, 101)])
async def test_which_pages_may_listen(hook: str | None, evil: int, database_url: str) -> None:
    given: dict[str, Any] = {"cors_origins": ["*", NAMED]} | (
        {} if hook is None else {"auth_hook": hook, "jwt_secret": None, "unauthorized_role": None}
    )
    async with whole_service(database_url, "http://127.0.0.1:9", **given) as service:
        assert await status_from(service.address, NAMED) == 101
        assert await status_from(service.address, EVIL) == evil
        asked = {"params": {"query": "{ __typename }"}, "headers": {"accept": "text/event-stream", "origin": EVIL}}
        answer: httpx2.Response = await service.http.get("/v1/graphql", **asked)  # type: ignore[arg-type]
        assert answer.status_code == (403 if evil == 403 else 200)
