"""Work that nobody asks for: timeouts, the reconciler, the processing of webhooks, all in the service's own process.

In: the world and a few connections. Out: tasks that are kept running, and ticks that one worker gets.
"""

from app.jobs.runner import Jobs, start_jobs

__all__ = ["Jobs", "start_jobs"]
