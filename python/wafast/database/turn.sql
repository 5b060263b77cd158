-- name: take_turn
-- Waits until no other process has the turn.
SELECT pg_advisory_lock($1)
