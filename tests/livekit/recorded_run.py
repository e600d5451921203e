"""One call's whole life, as it was once recorded on a livekit-server 1.13.5: each step's outcome by name."""

import re
from collections.abc import Awaitable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from livekit import api

from tests.livekit.targets import KEY, SECRET, Person, Refused, Target, token

Outcome = dict[str, Any]
ROOM_FIELDS = ("name", "emptyTimeout", "departureTimeout", "maxParticipants", "metadata")
PERSON_FIELDS = ("identity", "name", "state", "metadata", "permission", "isPublisher", "disconnectReason")
TRACK_FIELDS = ("type", "name", "source", "muted")
METADATA = '{"u":1}'


class Run:
    """Plays the steps on a target and keeps what each request answered, under the name it has in `recorded/api_requests.json`."""

    def __init__(self, target: Target, client: api.LiveKitAPI, names: dict[str, str]) -> None:
        """`names` maps the recorded room names to this run's own."""
        self.outcomes: dict[str, Outcome] = {}
        self._target = target
        self._rooms = client.room
        self._names = names
        self._one = names["call-1"]

    async def play(self) -> None:
        """All of it, in the recorded order."""
        await self._open()
        await self._unknown_things()
        alice, bob, mic = await self._two_people()
        await self._moderation(mic)
        await self._crowd(alice, bob)
        await self._wrong_secret()
        await self._end(alice)

    async def _open(self) -> None:
        request = api.CreateRoomRequest(name=self._one, empty_timeout=20, departure_timeout=3, max_participants=3, metadata='{"call":"1"}')
        await self._keep("ListRooms", self._rooms.list_rooms(api.ListRoomsRequest(names=[self._one])))
        await self._keep("CreateRoom", self._rooms.create_room(request))
        other = api.CreateRoomRequest(name=self._one, empty_timeout=99, max_participants=9, metadata="other")
        await self._keep("CreateRoom again, other settings", self._rooms.create_room(other))

    async def _unknown_things(self) -> None:
        nobody = api.RoomParticipantIdentity(room=self._one, identity="nobody")
        absent = f"{self._one}-absent"
        await self._keep("GetParticipant unknown", self._rooms.get_participant(nobody))
        await self._keep("RemoveParticipant unknown", self._rooms.remove_participant(nobody))
        await self._keep("DeleteRoom unknown", self._rooms.delete_room(api.DeleteRoomRequest(room=absent)))
        await self._keep("ListParticipants unknown room", self._rooms.list_participants(api.ListParticipantsRequest(room=absent)))
        metadata = api.UpdateRoomMetadataRequest(room=absent, metadata="m")
        await self._keep("UpdateRoomMetadata unknown room", self._rooms.update_room_metadata(metadata))
        await self._keep("SendData unknown room", self._rooms.send_data(api.SendDataRequest(room=absent, data=b"hi")))
        await self._join("join unknown room", token(absent, "alice"))

    async def _two_people(self) -> tuple[Person, Person, str]:
        alice = await self._enter("alice")
        bob = await self._enter("bob")
        mic = await alice.publish("microphone", "mic")
        await self._target.receiver.saw(self._one, "track_published")
        await self._keep("ListRooms with two", self._rooms.list_rooms(api.ListRoomsRequest(names=[self._one])))
        await self._keep("ListParticipants", self._rooms.list_participants(api.ListParticipantsRequest(room=self._one)))
        return alice, bob, mic

    async def _moderation(self, mic: str) -> None:
        def mute(sid: str, muted: bool) -> Awaitable[Message]:
            request = api.MuteRoomTrackRequest(room=self._one, identity="alice", track_sid=sid, muted=muted)
            return self._rooms.mute_published_track(request)

        await self._keep("MutePublishedTrack", mute(mic, True))
        await self._keep("MutePublishedTrack unmute (remote unmute off)", mute(mic, False))
        await self._keep("MutePublishedTrack unknown track", mute("TR_unknown", True))
        rights = api.ParticipantPermission(can_subscribe=True, can_publish=False, can_publish_data=True)
        request = api.UpdateParticipantRequest(room=self._one, identity="bob", metadata='{"hand":true}', permission=rights)
        await self._keep("UpdateParticipant permission", self._rooms.update_participant(request))

    async def _crowd(self, alice: Person, bob: Person) -> None:
        carol = await self._enter("carol")
        await self._join("join full room", token(self._one, "dave"))
        await self._enter("bob", times=2)
        await self._gone("duplicate identity, first bob", bob)
        who = api.RoomParticipantIdentity(room=self._one, identity="carol")
        await self._keep("RemoveParticipant carol", self._rooms.remove_participant(who))
        await self._gone("removed carol", carol)
        again = await self._enter("carol", times=2)
        await again.leave()
        await self._target.receiver.saw(self._one, "participant_left", "carol", times=2)
        screen = await alice.publish("screen_share", "screen")
        await self._target.receiver.saw(self._one, "track_published", "alice", times=2)
        await alice.unpublish(screen)
        await self._target.receiver.saw(self._one, "track_unpublished", "alice")

    async def _wrong_secret(self) -> None:
        async with api.LiveKitAPI(self._target.url, KEY, SECRET[::-1], failover=False) as stranger:
            await self._keep("ListRooms wrong secret", stranger.room.list_rooms(api.ListRoomsRequest()))

    async def _end(self, alice: Person) -> None:
        await self._keep("DeleteRoom", self._rooms.delete_room(api.DeleteRoomRequest(room=self._one)))
        await self._gone("alice after DeleteRoom", alice)
        await self._target.receiver.saw(self._one, "room_finished")
        two = self._names["call-2"]
        await self._keep("CreateRoom short", self._rooms.create_room(api.CreateRoomRequest(name=two, empty_timeout=2, departure_timeout=3)))
        await self._target.receiver.saw(two, "room_finished")

    async def _enter(self, identity: str, times: int = 1) -> Person:
        person = await self._target.join(token(self._one, identity, metadata=METADATA))
        await self._target.receiver.saw(self._one, "participant_joined", identity, times)
        return person

    async def _keep(self, name: str, call: Awaitable[Message]) -> None:
        try:
            reply = json_format.MessageToDict(await call)
        except api.ServerError as error:
            self.outcomes[name] = {"error": {"code": error.code, "message": error.message, "status": error.status}}
        else:
            self.outcomes[name] = {"reply": reduced(reply, self._names)}

    async def _join(self, name: str, signed: str) -> None:
        try:
            await self._target.join(signed)
        except Refused as error:
            self.outcomes[name] = {"refused": error.status}

    async def _gone(self, name: str, person: Person) -> None:
        self.outcomes[name] = {"events": [["disconnected", str(await person.disconnected())]]}


def expected(record: Outcome) -> Outcome:
    """A recorded entry in the form of an outcome; the SDK's text of a refused join as its HTTP status."""
    if isinstance(record.get("error"), str):
        status = re.search(r"\b[45]\d\d\b", record["error"])
        assert status
        return {"refused": int(status[0])}
    return {key: record[key] for key in ("reply", "error", "events") if key in record}


def reduced(reply: Outcome, names: dict[str, str]) -> Outcome:
    """A reply without ids, times and codec details, with the recorded room names."""
    if "rooms" in reply:
        return {"rooms": [reduced_room(room, names) for room in reply["rooms"]]}
    if "participants" in reply:
        people = [reduced_person(person) for person in reply["participants"]]
        return {"participants": sorted(people, key=lambda person: str(person["identity"]))}
    if "track" in reply:
        return {"track": only(reply["track"], TRACK_FIELDS)}
    if "identity" in reply:
        return reduced_person(reply)
    return reduced_room(reply, names)


def reduced_event(body: Outcome, names: dict[str, str]) -> Outcome:
    """A delivery's body in the same way."""
    event: Outcome = {"event": body["event"], "room": reduced_room(body["room"], names)}
    if "participant" in body:
        event["participant"] = reduced_person(body["participant"])
    if "track" in body:
        event["track"] = only(body["track"], TRACK_FIELDS)
    return event


def reduced_room(room: Outcome, names: dict[str, str]) -> Outcome:
    recorded = {own: name for name, own in names.items()}
    return only(room, ROOM_FIELDS) | ({"name": recorded[room["name"]]} if "name" in room else {})


def reduced_person(person: Outcome) -> Outcome:
    tracks = [only(track, TRACK_FIELDS) for track in person.get("tracks", [])]
    return only(person, PERSON_FIELDS) | ({"tracks": tracks} if tracks else {})


def only(values: Outcome, names: tuple[str, ...]) -> Outcome:
    return {name: values[name] for name in names if name in values}
