"""Storage: connections, transactions and migrations for SQLite and PostgreSQL, without an ORM."""
