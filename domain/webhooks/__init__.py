"""What LiveKit tells us: an inbox that loses nothing, and what each event changes in a call."""
