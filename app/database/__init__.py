"""PostgreSQL for real: the pool that answers queries, transactions for the domain, what a database holds.

In: SQL with text parameters, or a block of domain code. Out: the bytes that PostgreSQL wrote, or `DatabaseError`.
"""
