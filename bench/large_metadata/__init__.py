"""Foreign metadata of a size that real products have, made up by a seed, and what a start with it costs."""
