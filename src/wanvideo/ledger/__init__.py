"""The durable record of jobs, attempts, events: SQLAlchemy Core on SQLite."""
