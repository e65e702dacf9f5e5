"""PostgreSQL: named statements, versioned functions, numbered migrations."""
