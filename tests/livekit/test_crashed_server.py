"""A real livekit-server that crashes and comes back with its Redis: rooms whose node is gone can still be closed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.livekit.room_gateway import connect
from devstack import livekit_server
from devstack.ports import free_port
from domain.ports import Grant, MediaError
from tests.livekit.receiver import Receiver
from tests.livekit.targets import KEY, SECRET, RealTarget, fresh_room, token
from tests.support.valkey import valkey

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(livekit_server.find_binary() is None, reason=livekit_server.NOT_FOUND),
]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    with valkey(tmp_path) as address:
        yield address


async def test_a_room_of_a_crashed_node_can_be_closed(redis: str, tmp_path: Path) -> None:
    port, room = free_port(), fresh_room()

    def start() -> livekit_server.LiveKitServer:
        log = tmp_path / "livekit.log"
        return livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=None, log=log, redis=redis, port=port)

    server = start()
    async with connect(server.url, KEY, SECRET) as rooms:
        opened = await rooms.create_room(room, max_participants=5)
        person = await RealTarget(server.url, server.ws_url, Receiver({})).join(token(room, "alice"))
        server.stop()
        await person.leave()
        with pytest.raises(MediaError):
            await rooms.list_rooms([room])
        server = start()
        try:
            assert await rooms.list_rooms([room]) == [opened]
            assert [ghost.identity for ghost in await rooms.list_participants(room)] == ["alice"]
            with pytest.raises(MediaError):
                await rooms.set_grant(room, "alice", Grant(sources=()))
            await rooms.delete_room(room)
            assert await rooms.list_rooms([room]) == []
            assert await rooms.list_participants(room) == []
        finally:
            server.stop()
