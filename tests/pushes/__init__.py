"""Pushes, from the outbox to a receiver on a real port."""
