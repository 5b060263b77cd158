-- name: make_spool
-- SQLite's. As fast as it goes without losing what was committed to a `kill -9`.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE spool (id INTEGER PRIMARY KEY, device INTEGER, code INTEGER, event BLOB);

-- name: spool_event
INSERT INTO spool (device, code, event) VALUES (1, 17, ?)
