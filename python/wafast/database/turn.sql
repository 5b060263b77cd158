-- name: take_turn
-- Waits until no other process has the turn.
SELECT pg_advisory_lock($1)

-- name: say
-- Whoever listens to $1 hears it.
SELECT pg_notify($1, '')
