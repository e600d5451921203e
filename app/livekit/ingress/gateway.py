"""LiveKit's ingress as the domain's `Ingests` port."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast
from uuid import UUID

from livekit import api

from app.livekit import protocol
from app.livekit.requests import MediaAbsent, Requests
from domain.ports import IngressKind, IngressState, IngressStatus, IngressWanted, ListedIngress, MediaRefused, NewIngress, Unknown

# Seconds. LiveKit asks the worker of a running ingress before it removes it, and waits 3 s for one that is dead.
WITHIN: Final = 6.0
NANOSECONDS: Final = 1_000_000_000
INPUTS: Final[Mapping[IngressKind, int]] = {"rtmp": api.IngressInput.RTMP_INPUT, "whip": api.IngressInput.WHIP_INPUT}
STATUS_PREFIX: Final = "endpoint_"


class LiveKitIngests:
    """`domain.ports.Ingests` over one LiveKit client. `owner` is in the name of each ingress that this deployment asks for, by which it
    knows its own: another deployment may share the LiveKit."""

    def __init__(self, client: api.LiveKitAPI, requests: Requests, owner: str, within: float = WITHIN) -> None:
        self._client, self._ask, self._owner, self._within = client, requests, owner, within

    async def create(self, wanted: IngressWanted) -> NewIngress:
        """A LiveKit whose configuration names no address for encoders makes ingresses nevertheless; that one is taken back."""
        request = api.CreateIngressRequest(
            input_type=cast(api.IngressInput, INPUTS[wanted.kind]),
            name=f"{self._owner} {wanted.id}",
            room_name=wanted.room,
            participant_identity=wanted.identity,
            participant_name=wanted.name,
        )
        info = await self._ask(
            "ingress.create", lambda: self._client.ingress.create_ingress(request), within=self._within, repeatable=False
        )
        if not info.url:
            await self.delete(info.ingress_id)
            raise MediaRefused(f"ingress.create: LiveKit's configuration has no {wanted.kind}_base_url")
        return NewIngress(info.ingress_id, info.url, info.stream_key)

    async def delete(self, ingress_id: str) -> None:
        """LiveKit cuts off whoever publishes with it before it answers."""
        request = api.DeleteIngressRequest(ingress_id=ingress_id)
        try:
            await self._ask("ingress.delete", lambda: self._client.ingress.delete_ingress(request), within=self._within)
        except MediaAbsent:
            return

    async def ours(self) -> list[ListedIngress]:
        """LiveKit lists all with their keys, which go no further."""
        listing = api.ListIngressRequest()
        reply = await self._ask("ingress.list", lambda: self._client.ingress.list_ingress(listing), within=self._within)
        named = ((info, self._wanted(info.name)) for info in reply.items)
        return [ListedIngress(info.ingress_id, wanted, info.room_name, state(info.state)) for info, wanted in named if wanted is not None]

    async def present(self, room: str) -> frozenset[str]:
        request = api.ListParticipantsRequest(room=room)
        reply = await self._ask("ingress.present", lambda: self._client.room.list_participants(request), within=self._within)
        return frozenset(one.identity for one in reply.participants if one.kind == api.ParticipantInfo.INGRESS)

    def _wanted(self, name: str) -> UUID | None:
        owner, _, given = name.rpartition(" ")
        if owner != self._owner:
            return None
        try:
            return UUID(given)
        except ValueError:
            return None


def state(message: api.IngressState) -> IngressState:
    """A state without its error text, which nobody promises to be free of addresses. LiveKit counts nanoseconds."""
    has_video, has_audio = message.HasField("video"), message.HasField("audio")
    return IngressState(
        status=cast(IngressStatus | Unknown, protocol.enum_name(message, "status").removeprefix(STATUS_PREFIX)),
        told_at=_moment(message.updated_at or message.ended_at or message.started_at),
        started_at=_moment(message.started_at),
        width=(message.video.width or None) if has_video else None,
        height=(message.video.height or None) if has_video else None,
        fps=(message.video.framerate or None) if has_video else None,
        video_bitrate=(message.video.average_bitrate or None) if has_video else None,
        audio_bitrate=(message.audio.average_bitrate or None) if has_audio else None,
    )


def _moment(nanoseconds: int) -> datetime | None:
    return datetime.fromtimestamp(nanoseconds / NANOSECONDS, UTC) if nanoseconds else None
