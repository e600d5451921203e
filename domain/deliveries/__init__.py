"""What was written down with a change, on its way to somebody outside: pushes, and events for the deployment's backend.

In: a table of what waits, and who takes it. Out: each row delivered once at least, and what became of it written to it.
"""
