"""The product's hand-written GraphQL types: inputs of actions, and what has no table."""
