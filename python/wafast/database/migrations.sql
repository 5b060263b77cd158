-- name: lock_migrations
-- Held until the connection closes; other starters wait here.
SELECT pg_advisory_lock($1)

-- name: create_migrations
CREATE TABLE IF NOT EXISTS migrations (
    number     int4 PRIMARY KEY,
    name       text NOT NULL,
    checksum   bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: applied_migrations
SELECT number, name, checksum FROM migrations

-- name: record_migration
INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)

-- name: server_version
SHOW server_version

-- name: has_migrations
SELECT to_regclass('migrations') IS NOT NULL
