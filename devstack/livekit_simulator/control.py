"""Driving the simulator by hand: who joins, publishes, drops off, over plain HTTP on this machine."""

from collections.abc import Callable
from typing import Final

from google.protobuf import json_format
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.livekit_simulator.participants import SOURCES, NotPermitted, SimulatedParticipant
from devstack.livekit_simulator.rooms import JoinRefused
from devstack.livekit_simulator.simulator import Simulator

PREFIX: Final = "/simulator"
# Turned into an action by a JSON body's field: publish's `source`, the others' `track_sid`.
ACTIONS: Final[dict[str, Callable[[SimulatedParticipant, str], object]]] = {
    "publish": lambda person, source: {"track_sid": person.publish(source)},
    "unpublish": lambda person, track_sid: person.unpublish(track_sid),
    "mute": lambda person, track_sid: person.set_muted(track_sid, True),
    "unmute": lambda person, track_sid: person.set_muted(track_sid, False),
    "leave": lambda person, _: person.leave(),
    "drop": lambda person, _: person.drop(),
    "resume": lambda person, _: person.resume(),
    "full_reconnect": lambda person, _: {"sid": person.full_reconnect().sid},
}


def control_routes(simulator: Simulator) -> list[Route]:
    """`GET /simulator` shows all rooms; `POST /simulator/join` takes `{"token"}`;
    `POST /simulator/{room}/{identity}/{action}` takes `{"source"}` or `{"track_sid"}`."""
    control = Control(simulator)
    return [
        Route(PREFIX, control.show, methods=["GET"]),
        Route(f"{PREFIX}/join", control.join, methods=["POST"]),
        Route(f"{PREFIX}/{{room}}/{{identity}}/{{action}}", control.act, methods=["POST"]),
    ]


class Control:
    """The three endpoints; each refusal is a status and one sentence."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def show(self, _request: Request) -> Response:
        rooms = self._simulator.rooms.live.values()
        return JSONResponse(
            {room.message.name: [json_format.MessageToDict(p.message) for p in room.participants.values()] for room in rooms}
        )

    async def join(self, request: Request) -> Response:
        try:
            participant = self._simulator.join(str((await request.json()).get("token", "")))
        except JoinRefused as error:
            return JSONResponse({"error": error.text}, status_code=error.status)
        return JSONResponse({"room": participant.room.message.name, "identity": participant.identity, "sid": participant.sid})

    async def act(self, request: Request) -> Response:
        names = request.path_params
        room = self._simulator.rooms.live.get(names["room"])
        participant = room.participants.get(names["identity"]) if room else None
        action = ACTIONS.get(names["action"])
        if participant is None or action is None:
            return JSONResponse({"error": "no such room, person or action"}, status_code=404)
        body = await request.json() if await request.body() else {}
        argument = str(body.get("source") or body.get("track_sid") or "")
        if names["action"] == "publish" and argument not in SOURCES:
            return JSONResponse({"error": f"source is one of {', '.join(SOURCES)}"}, status_code=400)
        try:
            return JSONResponse(action(participant, argument) or {})
        except NotPermitted:
            return JSONResponse({"error": "the person's token does not allow that source"}, status_code=403)
