"""LiveKit's egress in memory, for tests of the domain: behaves as the port promises, dies as a worker does, and can be told to fail."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from domain.ports import MediaError, MediaRefused, MediaSilent
from domain.recording_ports import Egress, EgressStatus, EgressWanted, OutputReport, OutputStatus


@dataclass(slots=True)
class FakeRecorder:
    """`domain.recording_ports.Recorder`. `broken` names methods that answer nothing; `no_worker` is what LiveKit says then.

    `forgets_answer`: an egress begins, and whoever asked never hears of it. `dead` egresses are in no room and answer nobody, and their
    record stays as it was.
    """

    egresses: dict[str, Egress] = field(default_factory=dict)
    wanted: dict[str, EgressWanted] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    no_worker: bool = False
    forgets_answer: bool = False
    asked: Counter[str] = field(default_factory=Counter)
    # Every address that an egress was ever told, in order; of two that are equal the later one counts.
    told: dict[str, list[str]] = field(default_factory=dict)

    async def start(self, wanted: EgressWanted) -> Egress:
        self._ask("start")
        if self.no_worker:
            raise MediaError("egress.start: 503 unavailable")
        egress = Egress(f"EG_{len(self.egresses) + 1}", wanted.room, "starting", wanted.path_prefix)
        self.egresses[egress.id], self.wanted[egress.id] = egress, wanted
        if self.forgets_answer:
            raise MediaSilent("egress.start: no answer")
        return egress

    async def stop(self, egress_id: str) -> bool:
        self._ask("stop")
        found = self.egresses.get(egress_id)
        if found is None or found.final:
            return True
        if egress_id in self.dead:
            return False
        self.become(egress_id, "ending" if found.status == "active" else "aborted")
        return True

    async def add_output(self, egress_id: str, url: str) -> Egress:
        self._ask("add_output")
        found = self._running(egress_id)
        if not self.wanted[egress_id].sends_on:
            raise MediaRefused("egress.add_output: 400 invalid_argument")
        self.told.setdefault(egress_id, []).append(url)
        self.egresses[egress_id] = replace(found, outputs=(*found.outputs, OutputReport(shown(url), "active")))
        if self.forgets_answer:
            raise MediaSilent("egress.add_output: no answer")
        return self.egresses[egress_id]

    async def remove_output(self, egress_id: str, url: str) -> None:
        self._ask("remove_output")
        if url in self.sent_to(egress_id):
            self.output_becomes(egress_id, url, "finished")

    async def active(self) -> list[Egress]:
        self._ask("active")
        return [one for one in self.egresses.values() if not one.final]

    async def of_room(self, room: str) -> list[Egress]:
        self._ask("of_room")
        return [one for one in self.egresses.values() if one.room == room]

    async def find(self, egress_id: str) -> Egress | None:
        self._ask("find")
        return self.egresses.get(egress_id)

    async def present(self, room: str) -> frozenset[str]:
        self._ask("present")
        inside = ("starting", "active")
        return frozenset(
            one.id for one in self.egresses.values() if one.room == room and one.status in inside and one.id not in self.dead | self.gone
        )

    def become(self, egress_id: str, status: EgressStatus, error_code: int = 0) -> None:
        """Its record changes, as the worker reports it."""
        self.egresses[egress_id] = replace(self.egresses[egress_id], status=status, error_code=error_code)

    def output_becomes(self, egress_id: str, url: str, status: OutputStatus, **values: Any) -> None:
        """An output's report changes, as the worker tells it: one that runs, the latest of this address."""
        found, told = self.egresses[egress_id], self.told[egress_id]
        place = max(place for place, one in enumerate(told) if one == url and found.outputs[place].status == "active")
        outputs = list(found.outputs)
        outputs[place] = replace(outputs[place], status=status, **values)
        self.egresses[egress_id] = replace(found, outputs=tuple(outputs))

    def sent_to(self, egress_id: str) -> list[str]:
        """Where the egress sends now."""
        found = self.egresses.get(egress_id)
        if found is None or found.final:
            return []
        return [url for url, report in zip(self.told.get(egress_id, []), found.outputs, strict=True) if report.status == "active"]

    def _running(self, egress_id: str) -> Egress:
        found = self.egresses.get(egress_id)
        if found is None or found.final or egress_id in self.dead:
            raise MediaError("egress.add_output: 404 not_found")
        return found

    @property
    def last(self) -> str:
        """The id of the newest."""
        return list(self.egresses)[-1]

    def _ask(self, method: str) -> None:
        self.asked[method] += 1
        if method in self.broken:
            raise MediaSilent(f"egress.{method}: no answer")


def shown(url: str) -> str:
    """What LiveKit shows of an address's key: its first and last characters, no more than a third of it each and three at most."""
    key = url.rpartition("/")[2]
    many = min(3, len(key) // 3)
    return f"{{{key[:many]}...{key[len(key) - many :]}}}"
