"""resetStreamIngress as a client meets it."""

from typing import Final

import pytest

from permissions.session import Session
from tests.streams.ingress.conftest import EncodedStream
from tests.support.actions import api
from tests.support.domain_setup import ALICE, BOB, session

pytestmark = pytest.mark.anyio
RESETS: Final = """mutation ($stream: uuid!) {
    resetStreamIngress(input: {streamId: $stream}) { streamId rtmpIngestUrl streamKey stream { id title status } }
}"""
ANONYMOUS: Final = Session("anonymous", {"x-hasura-role": "anonymous"})


async def test_the_host_gets_a_key_and_the_stream(stream: EncodedStream) -> None:
    await stream.start()
    async with api(stream.on) as client:
        told = (await client.data(session(ALICE), RESETS, {"stream": str(stream.id)}))["resetStreamIngress"]
    assert told == {
        "streamId": str(stream.id),
        "rtmpIngestUrl": "rtmp://ingest.example/live",
        "streamKey": "key-2-of-nobody-else",
        "stream": {"id": str(stream.id), "title": "Concert", "status": "starting"},
    }


@pytest.mark.parametrize(("caller", "code"), [(session(BOB), "not-allowed"), (ANONYMOUS, "validation-failed")], ids=["member", "anonymous"])
async def test_nobody_else_gets_one(stream: EncodedStream, caller: Session, code: str) -> None:
    await stream.start()
    async with api(stream.on) as client:
        refused = await client.refusal(caller, RESETS, {"stream": str(stream.id)})
    assert refused[0] == code
    assert stream.on.ingests.deleted == []


async def test_no_role_reads_the_address_or_the_key_of_a_row(stream: EncodedStream) -> None:
    await stream.start()
    async with api(stream.on) as client:
        for question in ("{ nchat_streams { rtmp_ingest_url } }", "{ nchat_stream_ingresses { stream_key_encrypted } }"):
            assert (await client.refusal(session(ALICE), question))[0] == "validation-failed"
