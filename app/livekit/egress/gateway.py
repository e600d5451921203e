"""LiveKit's egress as the domain's `Recorder` port."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, cast

from livekit import api

from app.livekit import protocol
from app.livekit.egress.requests import Bucket, composite_request, track_request
from app.livekit.requests import MediaAbsent, MediaUnanswered, Requests
from domain.ports import MediaError, MediaRefused
from domain.recording_ports import CompositeWanted, Egress, EgressStatus, EgressWanted, OutputReport, OutputStatus

# Seconds. LiveKit looks for a worker for some 22 s before it says that there is none.
START_WITHIN: Final = 30.0
WITHIN: Final = 6.0
NANOSECONDS: Final = 1_000_000_000
REQUESTS: Final = ("room_composite", "track_composite", "participant", "track", "web")


class LiveKitRecorder:
    """`domain.recording_ports.Recorder` over one LiveKit client; `templates` are the addresses of custom layouts."""

    def __init__(
        self, client: api.LiveKitAPI, requests: Requests, bucket: Bucket, templates: Mapping[str, str], within: float = WITHIN
    ) -> None:
        self._client, self._ask, self._bucket, self._templates, self._within = client, requests, bucket, templates, within

    async def start(self, wanted: EgressWanted) -> Egress:
        """A new egress. Never sent twice: two requests would be two egresses."""
        egress = self._client.egress
        bucket = self._bucket if wanted.bucket is None else replace(self._bucket, name=wanted.bucket)
        if isinstance(wanted.content, CompositeWanted):
            composite = composite_request(wanted, wanted.content, bucket, self._templates)
            info = await self._ask(
                "egress.start", lambda: egress.start_room_composite_egress(composite), within=START_WITHIN, repeatable=False
            )
        else:
            track = track_request(wanted, wanted.content, bucket)
            info = await self._ask(
                "egress.start", lambda: egress.start_track_composite_egress(track), within=START_WITHIN, repeatable=False
            )
        return read(info)

    async def stop(self, egress_id: str) -> bool:
        """LiveKit refuses to stop what has ended, knows nothing of what is long over, and waits 3 s for a worker that is dead."""
        request = api.StopEgressRequest(egress_id=egress_id)
        try:
            await self._ask("egress.stop", lambda: self._client.egress.stop_egress(request), within=self._within)
        except (MediaAbsent, MediaRefused):
            return True
        except MediaUnanswered:
            return False
        except MediaError as error:
            if "deadline_exceeded" in str(error):
                return False
            raise
        return True

    async def add_output(self, egress_id: str, url: str) -> Egress:
        """Its record shows the address without the key. Never sent twice: LiveKit would send there twice."""
        request = api.UpdateStreamRequest(egress_id=egress_id, add_output_urls=[url])
        sending = self._ask("egress.add_output", lambda: self._client.egress.update_stream(request), within=self._within, repeatable=False)
        return read(await sending)

    async def remove_output(self, egress_id: str, url: str) -> None:
        """LiveKit wants the whole address that was added, and knows nothing of one that has failed or of an egress that has ended."""
        request = api.UpdateStreamRequest(egress_id=egress_id, remove_output_urls=[url])
        with suppress(MediaAbsent, MediaRefused):
            await self._ask("egress.remove_output", lambda: self._client.egress.update_stream(request), within=self._within)

    async def active(self) -> list[Egress]:
        """All that LiveKit takes for running, those of dead workers among them."""
        return await self._list("egress.active", api.ListEgressRequest(active=True))

    async def of_room(self, room: str) -> list[Egress]:
        """All of one room that are not forgotten."""
        return await self._list("egress.of_room", api.ListEgressRequest(room_name=room))

    async def find(self, egress_id: str) -> Egress | None:
        """One record."""
        return next(iter(await self._list("egress.find", api.ListEgressRequest(egress_id=egress_id))), None)

    async def present(self, room: str) -> frozenset[str]:
        """An egress is a hidden participant whose identity is its id."""
        request = api.ListParticipantsRequest(room=room)
        reply = await self._ask("egress.present", lambda: self._client.room.list_participants(request), within=self._within)
        return frozenset(one.identity for one in reply.participants if one.kind == api.ParticipantInfo.EGRESS)

    async def _list(self, name: str, request: api.ListEgressRequest) -> list[Egress]:
        try:
            reply = await self._ask(name, lambda: self._client.egress.list_egress(request), within=self._within)
        except MediaAbsent:
            return []
        return [read(info) for info in reply.items]


def read(info: api.EgressInfo) -> Egress:
    """A record without its error text, which can quote keys and addresses. LiveKit counts nanoseconds."""
    return Egress(
        id=info.egress_id,
        room=info.room_name,
        status=cast(EgressStatus, protocol.enum_name(info, "status").removeprefix("egress_")),
        path_prefix=_prefix(info),
        error_code=info.error_code,
        started_at=_moment(info.started_at),
        ended_at=_moment(info.ended_at),
        outputs=tuple(map(_output, info.stream_results)),
    )


def _output(result: api.StreamInfo) -> OutputReport:
    """Of the address no more than LiveKit shows of the key; its error text quotes all of it, and stays here."""
    return OutputReport(
        shown=result.url.rpartition("/")[2],
        status=cast(OutputStatus, protocol.enum_name(result, "status")),
        started_at=_moment(result.started_at),
        retries=result.retries,
        retried_at=_moment(result.last_retry_at),
    )


def _prefix(info: api.EgressInfo) -> str:
    for name in REQUESTS:
        if info.HasField(name):
            for output in getattr(getattr(info, name), "segment_outputs", ()):
                folder, slash, _ = output.filename_prefix.rpartition("/")
                return f"{folder}{slash}"
    return ""


def _moment(nanoseconds: int) -> datetime | None:
    return datetime.fromtimestamp(nanoseconds / NANOSECONDS, UTC) if nanoseconds else None
