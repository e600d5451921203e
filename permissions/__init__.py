"""Who may do what: Hasura metadata, the session, and boolean expressions as SQL. No I/O, no GraphQL library."""
