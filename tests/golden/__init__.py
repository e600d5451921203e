"""Generated files that are kept in the repository and compared."""
