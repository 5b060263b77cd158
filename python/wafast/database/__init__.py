"""PostgreSQL: embedded or your own, the pool, migrations, named queries."""
