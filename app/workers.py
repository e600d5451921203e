"""uvicorn's supervisor of several workers, made to notice at once that one has ended, and to say so by its exit code."""

import os
import signal
import sys

from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess


class Workers(Multiprocess):
    """A worker that ends while it is asked whether it lives would be waited for until the health check's time is up, a minute."""

    def run(self) -> None:
        """Until SIGINT or SIGTERM; SystemExit with uvicorn's code for it when a worker could not start."""
        super().run()
        if any(process.exitcode == STARTUP_FAILURE for process in self.processes):
            sys.exit(STARTUP_FAILURE)

    def init_processes(self) -> None:
        super().init_processes()
        self._known = {process.pid for process in self.processes}
        self._hear_of_ends()

    def handle_hup(self) -> None:
        """Every worker reloads by itself; uvicorn would start them anew."""
        for process in self.processes:
            if process.pid is not None and process.process.is_alive():
                os.kill(process.pid, signal.SIGHUP)

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        self._forget_ended()
        self._hear_of_ends()

    def _forget_ended(self) -> None:
        """What a worker had open is open no more, and one that was killed could not take it off the metrics."""
        living = {process.pid for process in self.processes}
        for pid in self._known - living:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
        self._known = living

    def _hear_of_ends(self) -> None:
        # The pipe breaks with its worker once the worker's end is open in the worker alone.
        for process in self.processes:
            process.child_conn.close()
