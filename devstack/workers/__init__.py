"""What the stand-ins for LiveKit's workers have in common: each is a child process that can be killed, with knobs that make it err."""

from devstack.workers.child import TurnableWorker, WorkerDidNotStart

__all__ = ["TurnableWorker", "WorkerDidNotStart"]
