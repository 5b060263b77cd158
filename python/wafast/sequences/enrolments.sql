-- Leads on their way through sequences. $1 is the tenant, $2 a sequence, unless something else is said.

-- name: enrol_ids
-- $3 leads; $4 whether who was in it before, at whatever number, enters again. One that is just being deleted does not. Gives
-- each lead that is there with why it did not enter, NULL where it did.
WITH wanted AS MATERIALIZED (
    SELECT l.id, CASE WHEN EXISTS (SELECT FROM suppressions s WHERE s.tenant_id = $1 AND s.phone = l.phone) THEN 'opted_out'
                      WHEN EXISTS (SELECT FROM enrolments e
                                   WHERE e.sequence_id = $2 AND e.lead_id = l.id AND e.ended_at IS NULL) THEN 'in_it'
                      WHEN NOT $4::bool AND EXISTS (SELECT FROM enrolments e WHERE e.sequence_id = $2 AND e.lead_id = l.id)
                          THEN 'was_in_it' END AS kept_out
    FROM (SELECT id, phone FROM leads WHERE tenant_id = $1 AND id = ANY ($3::int8[]) ORDER BY id FOR KEY SHARE) l
), entered AS (
    INSERT INTO enrolments (tenant_id, sequence_id, lead_id, again)
    SELECT $1, $2, id, $4::bool FROM wanted WHERE kept_out IS NULL ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING lead_id
)
SELECT w.id, CASE WHEN n.lead_id IS NULL THEN coalesce(w.kept_out, 'in_it') END AS kept_out
FROM wanted w LEFT JOIN entered n ON n.lead_id = w.id

-- name: list_enrolments
-- The last first; $3 one state, $4 words of name or number, $5 devices within reach (NULL: all), $6 the id below which the
-- page starts, $7 how many.
SELECT e.id, e.tenant_id, e.sequence_id, e.lead_id, e.state, e.reason, e.started_at, e.ended_at,
       l.name AS lead_name, l.phone, p.id AS step_id,
       (SELECT count(*) FROM sequence_steps b
        WHERE b.sequence_id = e.sequence_id AND b.deleted_at IS NULL AND b.place <= p.place) AS position,
       CASE WHEN e.state = 'active' AND o.state = 'queued' THEN o.not_before END AS due_at,
       o.id AS outbox_id, o.state AS outbox_state
FROM enrolments e
JOIN leads l ON l.id = e.lead_id
LEFT JOIN devices d ON d.no = l.device_no
LEFT JOIN sequence_steps p ON p.id = e.step_id
LEFT JOIN outbox o ON o.id = e.outbox_id
WHERE e.tenant_id = $1 AND e.sequence_id = $2 AND ($3::text IS NULL OR e.state = $3)
  AND ($4::text IS NULL OR strpos(lower(l.name), lower($4)) > 0 OR strpos(l.phone, $4) > 0)
  AND ($5::uuid[] IS NULL OR l.device_no IS NULL OR d.id = ANY ($5))
  AND ($6::int8 IS NULL OR e.id < $6)
ORDER BY e.id DESC LIMIT $7

-- name: get_enrolment
-- $3 its id.
SELECT e.id, e.tenant_id, e.sequence_id, e.lead_id, e.state, e.reason, e.started_at, e.ended_at,
       l.name AS lead_name, l.phone, p.id AS step_id,
       (SELECT count(*) FROM sequence_steps b
        WHERE b.sequence_id = e.sequence_id AND b.deleted_at IS NULL AND b.place <= p.place) AS position,
       CASE WHEN e.state = 'active' AND o.state = 'queued' THEN o.not_before END AS due_at,
       o.id AS outbox_id, o.state AS outbox_state
FROM enrolments e
JOIN leads l ON l.id = e.lead_id
LEFT JOIN sequence_steps p ON p.id = e.step_id
LEFT JOIN outbox o ON o.id = e.outbox_id
WHERE e.tenant_id = $1 AND e.sequence_id = $2 AND e.id = $3

-- name: hold_enrolment
-- And its steps: nobody edits them meanwhile.
SELECT e.state, e.outbox_id FROM sequences s JOIN enrolments e ON e.sequence_id = s.id
WHERE e.tenant_id = $1 AND s.id = $2 AND e.id = $3 FOR SHARE OF s FOR NO KEY UPDATE OF e

-- name: pause_enrolment
-- Its row waits for a hundred years, in the bucket of those that wait; also where it comes back unsent.
WITH paused AS (
    UPDATE enrolments SET state = 'paused' WHERE tenant_id = $1 AND id = $2 RETURNING outbox_id
)
UPDATE outbox o SET not_before = now() + interval '100 years' FROM paused p
WHERE o.id = p.outbox_id AND o.state IN ('queued', 'sending')

-- name: resume_enrolment
-- The delay has gone on meanwhile, and so has the time it may leave in.
WITH resumed AS (
    UPDATE enrolments e SET state = 'active' WHERE tenant_id = $1 AND id = $2 RETURNING e.outbox_id, e.step_id, e.since
)
UPDATE outbox o SET not_before = greatest(r.since + make_interval(secs => p.delay_seconds), now()),
    expires_at = step_end(s, p, r.since)
FROM resumed r JOIN sequence_steps p ON p.id = r.step_id JOIN sequences s ON s.id = p.sequence_id
WHERE o.id = r.outbox_id AND o.state IN ('queued', 'sending')

-- name: queue_enrolment
INSERT INTO walk_queue (is_new, enrolment_id) VALUES (false, $1)

-- name: stop_enrolments
-- $1 enrolments, $2 why. Whoever is at one of them now is waited for: what it put into the outbox is seen by who cancels.
WITH held AS (
    SELECT id FROM enrolments WHERE id = ANY ($1::int8[]) AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE
)
UPDATE enrolments e SET state = 'stopped', reason = $2, ended_at = now() FROM held WHERE e.id = held.id
RETURNING e.id, e.tenant_id, e.sequence_id

-- name: device_of_row
SELECT d.network, d.no FROM outbox o JOIN devices d ON d.no = o.device_no WHERE o.tenant_id = $1 AND o.id = $2

-- name: hold_row_of_step
-- What stands behind a row of the outbox ($2), held so that nobody changes it. The sequence is locked first, then the source,
-- as everywhere, and nobody goes on in it meanwhile: the walk holds enrolments, and then looks at sources.
SELECT s.name, s.deleted_at IS NOT NULL OR p.deleted_at IS NOT NULL AS is_deleted, e.state
FROM outbox o
JOIN sequence_steps p ON p.source_id = o.source_id
JOIN sequences s ON s.id = p.sequence_id
JOIN sources x ON x.id = o.source_id
JOIN enrolments e ON e.id = o.enrolment_id
WHERE o.tenant_id = $1 AND o.id = $2
FOR NO KEY UPDATE OF s, x, e

-- name: is_at_another_step
-- Whether the enrolment of row $2, which is held, stands at another step, or another one of it is open.
SELECT e.state = 'active' AND e.outbox_id <> o.id
       OR EXISTS (SELECT FROM outbox p WHERE p.enrolment_id = e.id AND p.id <> o.id AND p.state IN ('queued', 'sending'))
FROM outbox o JOIN enrolments e ON e.id = o.enrolment_id
WHERE o.tenant_id = $1 AND o.id = $2
