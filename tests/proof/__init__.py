"""Random schemas, permissions, rows and sessions: what the engine answers and writes is what a few hundred lines of Python say, and, where
PostgreSQL's own row security can say it too, what that says.

In: a seed. Out: the first combination that differs, with all that is needed to see why.
"""
