"""Who may do what: Hasura metadata, the session, and boolean expressions as SQL. No I/O, no GraphQL library.

`metadata/` is the product's own. `reading/` reads any metadata, `resolving/` holds it against a database and gives each role's rules
(`rules.py`, `expressions.py`), `compiling/` turns a rule and a `session.py` into a condition.
"""
