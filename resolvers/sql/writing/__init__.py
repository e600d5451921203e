"""Mutations of tables as statements.

In: the writing part of the IR, the role's rules. Out: plans that write, check what was written, and answer.
"""
