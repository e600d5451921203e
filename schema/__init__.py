"""The shape of things: tables, and the GraphQL types that follow from them. No I/O, no rules."""
