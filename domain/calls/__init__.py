"""What people do in calls: one module per verb, each a plain function over the world, the caller's session and its input."""
