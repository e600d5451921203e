"""GraphQL in and out: selections compiled to one SQL statement, table writes, actions and subscriptions."""
