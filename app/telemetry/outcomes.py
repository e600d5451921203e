"""What became of the operations of one transport: counted by kind and code, and told in a line unless it is the client's own mistake."""

import structlog
from prometheus_client import Counter

from app.telemetry.faults import fault_of
from app.telemetry.metrics import Metrics, Transport
from domain.ports import MediaError
from permissions.errors import GraphQLRefusal
from resolvers.answer import Answer
from resolvers.documents.document import OperationKind
from resolvers.sql.database import DatabaseError

log = structlog.get_logger(__name__)

SLOW_SECONDS = 1.0
# Codes are words of our own code, some fifty; should a client ever find a way to make them up, the rest is `other`.
MAX_CODES = 100
# Names and aliases are the client's own; one of a document's size is not worth a line of that size.
LONGEST_NAME = 200


class Outcomes:
    """Everything that is counted for a request is looked up once and kept: a label costs as much as the parsing of a small document."""

    def __init__(self, metrics: Metrics, transport: Transport) -> None:
        self._counter, self._transport = metrics.outcomes, transport
        self._seconds = metrics.seconds.labels(transport)
        self._answered: dict[str | None, Counter] = {
            kind: metrics.outcomes.labels(transport, kind, "ok", "none") for kind in ("query", "mutation", "subscription")
        }
        self._codes: set[str] = set()

    def note(self, answer: Answer) -> None:
        """One operation has its answer; each member of a batch is one."""
        if answer.refusal is None:
            self._answered[answer.kind].inc()
        else:
            self.refused(answer.refusal, answer.kind, answer.name)

    def ended(self) -> None:
        """A subscription that its client, or its server, brought to a regular end."""
        self._answered["subscription"].inc()

    def refused(self, refusal: GraphQLRefusal, kind: OperationKind | None = None, name: str | None = None) -> None:
        """One operation, or something that never became one, was refused."""
        fault = fault_of(refusal)
        self._counter.labels(self._transport, kind or "none", self._bounded(refusal.code), fault).inc()
        if fault != "client":
            log.warning(
                "operation_failed",
                transport=self._transport,
                kind=kind,
                operation=name and name[:LONGEST_NAME],
                code=refusal.code,
                path=refusal.path[:LONGEST_NAME],
                fault=fault,
                **_reason(refusal),
            )

    def took(self, seconds: float, size: int) -> None:
        """A request was answered with so many bytes."""
        self._seconds.observe(seconds)
        if seconds > SLOW_SECONDS:
            log.warning("slow_request", transport=self._transport, seconds=round(seconds, 3), bytes=size)

    def _bounded(self, code: str) -> str:
        if code not in self._codes:
            if len(self._codes) >= MAX_CODES:
                return "other"
            self._codes.add(code)
        return code


def _reason(refusal: GraphQLRefusal) -> dict[str, str]:
    """What is behind the code: the id of our own fault's line, PostgreSQL's state without its text, or our words about the media server."""
    if "id" in refusal.extra:
        return {"id": str(refusal.extra["id"])}
    cause = refusal.__cause__
    while cause is not None:
        match cause:
            case DatabaseError():
                return {"sqlstate": cause.sqlstate}
            case MediaError():
                return {"reason": str(cause)}
        cause = cause.__cause__
    return {}
