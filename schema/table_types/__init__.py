"""The GraphQL types that follow from tables.

In: the engine's model of each table (`schema/model.py`). Out: graphql-core's types and root fields, each carrying what it means, so that
whoever reads a document never goes by names.
"""
