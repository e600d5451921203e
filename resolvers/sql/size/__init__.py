"""How large an answer may become, held by the statement itself.

In: the values and rows of a statement. Out: the same, which end with PostgreSQL's error where they grow too large.
"""
