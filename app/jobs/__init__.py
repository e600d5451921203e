"""Work that nobody asks for: timeouts, the reconciler, webhooks' processing, all in the service's own process."""

from app.jobs.runner import Jobs, start_jobs

__all__ = ["Jobs", "start_jobs"]
