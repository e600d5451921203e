"""Who sees and writes what: the metadata through the engine on a real database, each role and case."""
