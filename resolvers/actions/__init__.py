"""The product's actions: each module offers root fields as `Query`, `Mutation` or `Subscription`; the domain does the work."""
