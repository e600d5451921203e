"""A planned stream, with LiveKit, its recorder and the store in the test's hands."""

import pytest

from tests.recordings.recorded_call import RecordedCall, begin_call
from tests.streams.life.staged_stream import StagedStream, plan_stream
from tests.support.domain_setup import Setup


@pytest.fixture
async def stream(on: Setup) -> StagedStream:
    """alice has planned a stream that is not recorded."""
    return await plan_stream(on)


@pytest.fixture
async def call(on: Setup) -> RecordedCall:
    """alice, who hosts, bob and carol talk in the channel."""
    return await begin_call(on)
