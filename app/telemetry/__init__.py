"""What operators see.

In: what happens in the service. Out: log lines that name their request or job, metrics, and the moments that tests of crashes hook into.
"""
