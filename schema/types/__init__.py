"""The product's hand-written GraphQL types: inputs of actions, and what has no table.

In: plain classes. Out: Strawberry types with camelCase fields, as actions have them.
"""
