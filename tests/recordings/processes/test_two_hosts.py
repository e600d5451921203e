"""Two hosts press the same button at two processes of the service in the same moment: one recording, one egress, one end."""

import asyncio

import pytest

from tests.recordings.conftest import Workers
from tests.recordings.processes.recorded_talk import RecordedTalk, Servers
from tests.support.killable_service import KillableService
from tests.support.waiting import eventually
from tests.support.whole_service import Caller, Refused, bearer

pytestmark = pytest.mark.anyio
ROUNDS = 2
WAITING = "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"
TOLD = "SELECT kind FROM nchat_call_events WHERE call_id = $1 AND kind LIKE 'recording\\_%' ORDER BY seq"


async def test_they_record_once_and_stop_once(service: KillableService, other: KillableService, servers: Servers, workers: Workers) -> None:
    workers()
    talk = RecordedTalk(service, servers)
    await talk.begin()
    await talk.act(talk.alice, "setParticipantRole", participantId=await talk.participant(talk.bob), role="co_host")
    hosts = (talk.caller(talk.alice), Caller(other.http, bearer(talk.bob)))
    for number in range(1, ROUNDS + 1):
        begun = await at_once(talk, hosts, "startRecording", callId=str(talk.call_id))
        assert sorted(begun) == ["", "already-recording"]
        await talk.becomes("recording")
        await talk.is_written_once()
        assert await at_once(talk, hosts, "stopRecording", recordingId=str(await talk.recording_id())) == ["", ""]
        await talk.becomes("ready")
        assert await talk.wrongs() == []
        assert len(await talk.egresses()) == len(await talk.parts()) == number
    told = [row["kind"] for row in await servers.database.fetch(TOLD, talk.call_id)]
    assert told == ["recording_started", "recording_stopped", "recording_ready"] * ROUNDS
    await talk.leave()


async def at_once(talk: RecordedTalk, hosts: tuple[Caller, Caller], name: str, **fields: str) -> list[str]:
    """Both ask while the call is held, so that neither is ahead; the code that each is answered with, empty for what was done."""

    async def ask(host: Caller) -> str:
        try:
            await host.act(name, "recordingId", **fields)
        except Refused as refusal:
            return refusal.code
        return ""

    async def both_wait() -> bool:
        return bool(await talk.servers.database.fetchval(WAITING) >= len(hosts))

    async with talk.servers.database.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM nchat_calls WHERE id = $1 FOR UPDATE", talk.call_id)
        asked = [asyncio.create_task(ask(host)) for host in hosts]
        await eventually(both_wait)
    return list(await asyncio.gather(*asked))
