-- All leads that fit a filter enter a sequence (intakes.py).

-- name: create_intake
-- $1 the tenant, $2 the sequence, $3 a filter of leads_matching, $4 whether who was in it before, at whatever number, enters
-- again. The sequence is not held: whoever changes or deletes it waits for nobody, and the walk sees to who came too late.
INSERT INTO intakes (tenant_id, sequence_id, filter, again, created_by)
SELECT s.tenant_id, s.id, $3, $4, $5 FROM sequences s WHERE s.tenant_id = $1 AND s.id = $2 AND s.deleted_at IS NULL
RETURNING id

-- name: next_intake
-- Of those that are not put aside ($1).
SELECT id FROM intakes WHERE state = 'running' AND id <> ALL ($1::int8[]) ORDER BY looked_at, id LIMIT 1

-- name: wait_for_portion
-- An import may hold what it has written for minutes.
SET LOCAL lock_timeout = '200ms'

-- name: hold_intake
-- Nobody cancels it meanwhile.
SELECT i.tenant_id, i.sequence_id, i.filter, i.again, i.last_id, s.deleted_at IS NOT NULL AS is_deleted
FROM intakes i JOIN sequences s ON s.id = i.sequence_id
WHERE i.id = $1 AND i.state = 'running' FOR NO KEY UPDATE OF i

-- name: take_in
-- The next $6 leads that fit the filter $3, below the id $5; $4 as above. Held in the order in which others hold them, as who
-- changes many, and deletes them: one that is gone meanwhile does not enter.
WITH portion AS MATERIALIZED (
    SELECT l.id FROM leads_matching($1, $3) l WHERE l.id < $5 ORDER BY l.id DESC LIMIT $6
), held AS MATERIALIZED (
    SELECT l.id, l.phone FROM leads l WHERE l.id IN (SELECT id FROM portion) ORDER BY l.id FOR KEY SHARE
), entered AS (
    INSERT INTO enrolments (tenant_id, sequence_id, lead_id, again)
    SELECT $1, $2, l.id, $4::bool FROM held l
    WHERE NOT EXISTS (SELECT FROM suppressions s WHERE s.tenant_id = $1 AND s.phone = l.phone)
      AND ($4::bool OR NOT EXISTS (SELECT FROM enrolments e WHERE e.sequence_id = $2 AND e.lead_id = l.id))
    ORDER BY l.id
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM portion)::int4 AS looked, (SELECT min(id) FROM portion) AS last_id,
       (SELECT count(*) FROM entered)::int4 AS entered

-- name: note_taken
-- $2 how many more were looked at, $3 entered, $4 the last lead, $5 whether that was all.
UPDATE intakes SET looked = looked + $2, entered = entered + $3, last_id = coalesce($4, last_id), looked_at = clock_timestamp(),
    state = CASE WHEN $5 THEN 'done' ELSE state END, ended_at = CASE WHEN $5 THEN now() END
WHERE id = $1

-- name: count_intake
-- Of leads that are still to come, too.
UPDATE intakes i SET leads = looked + CASE state WHEN 'running' THEN (
    SELECT count(*) FROM leads_matching($2, $3) l WHERE l.id < i.last_id) ELSE 0 END
WHERE id = $1

-- name: cancel_intake
UPDATE intakes SET state = 'cancelled', ended_at = now() WHERE id = $1 AND state = 'running' RETURNING id

-- name: get_intake
-- $1 the tenant, $2 the sequence, $3 its id.
SELECT * FROM intakes WHERE tenant_id = $1 AND sequence_id = $2 AND id = $3

-- name: list_intakes
-- Newest first; $1 the tenant, $2 the sequence, $3 only those below this id, $4 how many.
SELECT * FROM intakes WHERE tenant_id = $1 AND sequence_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4

-- name: open_intakes
SELECT * FROM intakes WHERE tenant_id = $1 AND sequence_id = $2 AND state = 'running' ORDER BY id
