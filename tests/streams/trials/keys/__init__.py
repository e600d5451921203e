"""All that is let out while a stream has keys, searched for them."""
