"""From the tree to a statement.

In: the tree of `ir.py` and a role's rules. Out: a `Plan`: one SQL text that returns one JSON value, and how its parameters are filled.
No GraphQL is known here.
"""
