"""The shape of things. No I/O, no rules.

On top what the engine knows of a database: `model.py`, functions, types, names. `table_types/` are the GraphQL types that follow from it.
The product's own: `tables/` (models), `types/` (inputs and values of actions), `sdl/` (what each role sees, printed).
"""
