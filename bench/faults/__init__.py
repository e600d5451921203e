"""`make bench-faults`: subscribers who lose nothing while everything between them and PostgreSQL is killed again and again.

In: how many follow, for how many deliveries. Out: for each of them a file with all that it was sent, beside what PostgreSQL holds.
"""
