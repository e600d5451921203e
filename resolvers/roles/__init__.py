"""The whole schema, and each role's view of it.

In: the catalog, hand-written fields, each role's rules. Out: a Strawberry schema for each role that holds exactly what it sees,
introspection included.
"""
