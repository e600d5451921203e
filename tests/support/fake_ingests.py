"""LiveKit's ingresses in memory, for tests of the domain: behaves as the port promises, and can be told to fail."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.ports import IngressState, IngressStatus, IngressWanted, ListedIngress, MediaSilent, NewIngress


@dataclass(slots=True)
class FakeIngests:
    """`domain.ports.Ingests`. `broken` names methods that answer nothing; `forgets_answer`: an ingress is made, and whoever asked never
    hears of it. `inside` are the encoders that are in rooms."""

    ingresses: dict[str, ListedIngress] = field(default_factory=dict)
    wanted: dict[str, IngressWanted] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    inside: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    forgets_answer: bool = False
    asked: Counter[str] = field(default_factory=Counter)

    async def create(self, wanted: IngressWanted) -> NewIngress:
        self._ask("create")
        number = len(self.wanted) + 1
        made = NewIngress(f"IN_{number}", f"{wanted.kind}://ingest.example/live", f"key-{number}-of-nobody-else")
        self.wanted[made.id] = wanted
        self.ingresses[made.id] = ListedIngress(made.id, wanted.id, wanted.room, IngressState("inactive"))
        if self.forgets_answer:
            raise MediaSilent("ingress.create: no answer")
        return made

    async def delete(self, ingress_id: str) -> None:
        self._ask("delete")
        self.deleted.append(ingress_id)
        self.ingresses.pop(ingress_id, None)

    async def ours(self) -> list[ListedIngress]:
        self._ask("ours")
        return list(self.ingresses.values())

    async def present(self, room: str) -> frozenset[str]:
        self._ask("present")
        return frozenset(wanted.identity for wanted in self.wanted.values() if wanted.room == room and wanted.identity in self.inside)

    def become(self, ingress_id: str, status: IngressStatus, told_at: datetime, **figures: int | float) -> None:
        """Its record changes, as the worker reports it; the encoder is in the room while it publishes."""
        state = IngressState(status, told_at, told_at, **figures)  # type: ignore[arg-type]
        self.ingresses[ingress_id] = replace(self.ingresses[ingress_id], state=state)
        identity = self.wanted[ingress_id].identity
        (self.inside.add if status == "publishing" else self.inside.discard)(identity)

    @property
    def last(self) -> str:
        """The id of the newest."""
        return list(self.wanted)[-1]

    def _ask(self, method: str) -> None:
        self.asked[method] += 1
        if method in self.broken:
            raise MediaSilent(f"ingress.{method}: no answer")
