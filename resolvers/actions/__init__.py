"""The product's own root fields: what people do (actions) and what they follow (feeds).

In: a typed input, who asks, and the world. Out: a payload made of what the domain did. Nothing is decided here. Modules are found by
scanning, one folder a noun; each offers its fields as `Query`, `Mutation` or `Subscription`.
"""
