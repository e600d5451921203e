"""GraphQL in and out, for any metadata over any database.

A request passes the rooms in this order: `engine.py` takes it, `documents/` understands it, `walk/` validates it into the tree of
`ir.py`, `sql/` makes statements of that, `compile.py` puts both together as what `compiled.py` describes, and `run/` runs it. `roles/`
holds what each role sees, `hand_written/` what is no table, `live/` what answers again. `actions/` is the product's own.
"""
