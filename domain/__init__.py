"""What happens in a call: guarded state transitions over one transaction, and the ports to the outside world."""
