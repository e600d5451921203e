"""Root fields that a programmer wrote: how they are found, what they get, and rows of tables in what they answer.

In: a package of resolvers (`actions/`). Out: fields for the schema, a context for each call, and the actions as Hasura metadata.
"""
