"""Mutations of tables, as IR.

In: root fields that write, with the role's view of their arguments. Out: the rows to insert, with those nested in them, the updates and
the deletes, each validated.
"""
