"""GraphQL over a websocket: the graphql-transport-ws protocol in front of the engine."""
