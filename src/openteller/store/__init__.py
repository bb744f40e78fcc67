"""The store: PostgreSQL with pgvector, its tables, migrations, embedded server, row-level security and audit log."""
