"""What the page shows of a stream at this moment: the stream itself, or a sentence in its place."""

from dataclasses import dataclass
from typing import Final, Literal

from domain.recordings.playing.visible import VisibleStream

# `waiting` and `soon` become something else by themselves; `live` and `whole` play.
State = Literal["waiting", "soon", "live", "whole", "over", "refused", "away"]
SENTENCES: Final[dict[State, str]] = {
    "waiting": "This stream has not started yet.",
    "soon": "The stream begins in a moment.",
    "over": "This stream is over.",
    "refused": "There is no such stream, or it is not for everybody.",
    "away": "The stream can't be shown at the moment; trying again.",
}
STATUS: Final[dict[State, int]] = {"refused": 404, "away": 503}


@dataclass(frozen=True, slots=True)
class Showing:
    """`title` is the stream's, for whoever may see it."""

    state: State
    title: str = ""

    @property
    def plays(self) -> bool:
        return self.state in ("live", "whole")

    @property
    def sentence(self) -> str:
        """What stands there in place of a picture; empty where one is to be seen."""
        return SENTENCES.get(self.state, "")

    @property
    def http_status(self) -> int:
        return STATUS.get(self.state, 200)


AWAY: Final = Showing("away")


def showing(stream: VisibleStream | None) -> Showing:
    """Of what this viewer may see; None is nothing."""
    return Showing("refused") if stream is None else Showing(_state(stream), stream.title)


def _state(stream: VisibleStream) -> State:
    match stream.status:
        case "scheduled":
            return "waiting"
        case "starting":
            return "soon"
        case "ended":
            return "whole" if stream.plays else "over"
    return "live" if stream.plays else "soon"
