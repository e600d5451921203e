"""The typed walk over an operation, which is its validation.

In: an operation and one role's view of the schema. Out: the tree of `ir.py`, or the first violation with Hasura's code, path and text.
No SQL is made here.
"""
