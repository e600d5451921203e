"""Events on their way to the deployment's own backend.

In: the outbox. Out: deliveries, each tried with the same id until it is taken, and what became of it in its row.
"""
