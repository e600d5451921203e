"""What several test modules share: databases, servers, fakes."""
