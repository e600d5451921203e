"""A process dies at each commit and each call of LiveKit's, and the next one does what is left: no address twice, none for ever."""

import pytest

from domain.streams.destinations.adding import add_stream_destination
from domain.streams.destinations.changing import DestinationChange, update_stream_destination
from domain.streams.destinations.checking import OutputWanted
from domain.streams.destinations.sending import take_outputs
from domain.streams.destinations.watching import watch_outputs
from domain.world import World
from tests.streams.destinations.conftest import Died
from tests.streams.destinations.sent_stream import FULL, KEY, URL, live_stream, look, shown, turn
from tests.support.domain_setup import ALICE, Setup, session

pytestmark = pytest.mark.anyio
NAMES = ("plan", "take", "places", "sent", "over", "take_looks", "note")
MOMENTS = [f"stream_outputs.{name}:{when}_commit" for name in NAMES for when in ("before", "after")]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_whatever_moment_it_dies_at(on: Setup, mortal: tuple[World, set[str]], moment: str) -> None:
    world, deadly = mortal
    stream_id, egress = await live_stream(on)
    wanted = OutputWanted("youtube", URL, "old-key-0123")
    destination_id = (await add_stream_destination(on.world, session(ALICE), stream_id, wanted)).destination_id
    if moment.partition(":")[0].endswith(".over"):
        await turn(on)
    await update_stream_destination(on.world, session(ALICE), destination_id, DestinationChange(stream_key=KEY))
    deadly.add(moment)
    died = 0
    for _ in range(6):
        try:
            for ask in await take_outputs(world):
                await ask()
            on.clock.advance(5)
            await watch_outputs(world)
        except Died:
            died += 1
    assert (died, deadly) == (1, set()), "it died, or the moment never came"
    for _ in range(4):
        on.clock.advance(21)
        await turn(on)
    await look(on, 15)
    assert on.recorder.sent_to(egress) == [FULL]
    assert await shown(on, destination_id) == ("connected", None)
