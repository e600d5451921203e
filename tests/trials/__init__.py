"""What the service has to withstand: strangers, races between processes, and its own death at any moment."""
