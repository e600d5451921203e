"""Pushes on their way to the deployment's push service.

In: the outbox. Out: deliveries, each tried until it is taken or has expired, and what became of it in its row.
"""
