"""What the service has to withstand: strangers, races between processes, and its own crash at any moment."""
