"""Boolean expressions as SQL.

In: an expression of a rule or of a `where`, a table or an alias of it, and a way to bind values. Out: a condition for SQLAlchemy.
"""
