"""Who listens to the service, for its operator: a register in each process, and a way to ask all of them.

In: `nchat-rtc sockets`, on any machine that reaches the database. Out: what each process that lives has answered. It goes through
PostgreSQL, whatever carries hints, and past GraphQL.
"""
