"""What follows a commit outside: done beside the loop that committed, so that nobody's next turn waits for LiveKit."""

import asyncio

from app.jobs.supervision import Supervisor, Work


class FollowUps:
    """Work that runs once. What a stop or a crash cuts off has its mark in the database, and somebody does it later."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.running: set[asyncio.Task[bool]] = set()

    def many(self, name: str) -> int:
        """How many of this name run now."""
        return sum(task.get_name() == name for task in self.running)

    def begin(self, name: str, work: Work) -> None:
        """Returns at once; a failure is logged as that of a job of this name."""
        task = asyncio.create_task(self._supervisor.attempt(name, work), name=name)
        self.running.add(task)
        task.add_done_callback(self.running.discard)
