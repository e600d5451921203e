"""Clients that frontends use, as their packages are."""
