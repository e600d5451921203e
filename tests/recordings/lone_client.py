"""A person in a room, in a process that can be killed or frozen: `python -m tests.recordings.lone_client WS_URL`.

Takes the token on stdin, and says `in` when it has published its microphone.
"""

import asyncio
import sys

from livekit import rtc


async def main() -> None:
    """Stays until the process ends."""
    room = rtc.Room()
    await room.connect(sys.argv[1], sys.stdin.readline().strip())
    track = rtc.LocalAudioTrack.create_audio_track("microphone", rtc.AudioSource(48_000, 1))
    await room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    sys.stdout.write("in\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
