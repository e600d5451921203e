"""Secrets at rest, and the keys that seal them (`domain.ports.Sealer`).

In: the columns that `schema.tables.columns.sealed` makes. Out: the same secrets under the newest key.
"""
