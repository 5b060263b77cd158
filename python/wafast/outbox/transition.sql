-- name: begin_ends
-- Whoever deletes a device, or stores the history of one, holds it or its chats for seconds: the ends of all others do not
-- wait for that, and none is picked when PostgreSQL breaks a circle, which it looks for after a second.
-- One end or a hundred, the plans are the same; made anew each time, they cost one end alone half as much again.
SET LOCAL lock_timeout = '250ms'; SET LOCAL plan_cache_mode = force_generic_plan

-- name: finish_sends
-- How a worker ($1) ends its own claims: compare-and-set on each. What nobody answers for is ended in claim.sql and
-- device_gone.sql. $2 rows, $3 $4 epoch and device of each claim, $5 the new states, $6 why, $7 message ids, $8 seconds until
-- a queued row may be tried again, $9 what kind of reason a failure has, $10 whether it surely has not left, $11 whether WhatsApp
-- did not take it, $12 which attempt of its row each is. Each device once. The gap to the next paced message counts from when this one left, after its typing; what has not left is not
-- counted against the caps.
-- A row that was not sent goes back as what happened meanwhile wants it: who cancelled it left a cause, who holds it back
-- a later not_before, and who moved it another lane, whose device it gets. One that was not tried has its place again, which
-- its lane has not passed: behind what is due since, it would be the last of its campaign. IS NOT FALSE:
-- or the index of what is being sent (outbox_open) is read, which looks small and, while a snapshot is held, has all that
-- was ever sent.
-- An end is written again where the database went away as it was: by then the row may be under way once more, from another
-- device of the same worker, whose epoch may be the same, or as its first attempt anew, since a person had it tried again.
-- Others may have given the claim up meanwhile (`unknown`): its worker knows better, as long as nobody has decided about
-- the row. What stands behind a source's row has gone on then, so that it fails where it would be tried again.
WITH ended AS (
    SELECT e.*, o.claimed_at
    FROM unnest($2::int8[], $3::int8[], $4::int4[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::text[], $10::bool[],
                $11::bool[], $12::int4[])
        e (id, epoch, at_device, state, reason, message_id, again_seconds, cause, has_not_left, is_not_taken, attempt)
    JOIN outbox o ON o.id = e.id
), finished AS (
UPDATE outbox o SET
    state = CASE WHEN e.state = 'queued' AND o.cause IS NOT NULL THEN 'cancelled'
                 WHEN e.state = 'queued' AND o.state = 'unknown' AND source_id IS NOT NULL THEN 'failed' ELSE e.state END,
    reason = CASE WHEN e.state = 'queued' AND o.cause IS NOT NULL THEN o.reason ELSE e.reason END,
    cause = CASE WHEN e.state = 'queued' THEN o.cause ELSE e.cause END,
    message_id = e.message_id,
    refusals = o.refusals + e.is_not_taken::int4,
    sent_at = CASE WHEN e.state = 'sent' THEN now() END,
    device_no = CASE WHEN e.state = 'queued' AND o.cause IS NULL AND lane_id IS NOT NULL
                     THEN (SELECT n.device_no FROM lanes n WHERE n.id = lane_id) ELSE o.device_no END,
    not_before = CASE WHEN e.state <> 'queued' THEN least(not_before, now())
                      WHEN e.again_seconds = 0 AND NOT e.is_not_taken THEN not_before
                      ELSE greatest(not_before, now() + make_interval(secs => e.again_seconds)) END,
    claim_worker = CASE WHEN e.state = 'queued' THEN NULL ELSE claim_worker END,
    claim_epoch = CASE WHEN e.state = 'queued' THEN NULL ELSE claim_epoch END,
    claimed_at = CASE WHEN e.state = 'queued' THEN NULL ELSE o.claimed_at END
FROM ended e
WHERE o.id = e.id AND claim_worker = $1 AND claim_epoch = e.epoch AND o.attempts = e.attempt
  AND (o.device_no = e.at_device) IS NOT FALSE  -- NULL: it was deleted meanwhile
  AND (o.state = 'sending' OR o.state = 'unknown' AND (o.cause IS DISTINCT FROM 'device_gone' OR e.state = 'sent'))
      IS NOT FALSE
RETURNING o.id, o.device_no, o.priority, e.at_device, e.state, e.has_not_left, e.claimed_at
), moved_clock AS (
    UPDATE devices d SET
        last_paced_at = CASE WHEN f.state = 'sent' THEN greatest(d.last_paced_at, now()) ELSE d.last_paced_at END,
        hour_sends = CASE WHEN f.has_not_left THEN send_uncounted(d.hour_sends, d.hour_slot, slot_of(f.claimed_at, 300))
                          ELSE d.hour_sends END,
        day_sends = CASE WHEN f.has_not_left THEN send_uncounted(d.day_sends, d.day_slot, slot_of(f.claimed_at, 3600))
                         ELSE d.day_sends END
    FROM finished f
    WHERE d.no = f.at_device AND (f.has_not_left OR f.state = 'sent' AND f.priority = 'paced')
)
SELECT f.id, f.device_no, d.network FROM finished f LEFT JOIN devices d ON d.no = f.device_no

-- name: take_early_receipts_of_changes
-- A receipt can be faster than the answer to the send (own_messages.sql), also to what is no message: $1 devices, $2 chats'
-- JIDs, $3 message ids, $4 outbox rows.
WITH early AS (
    DELETE FROM pending_changes p
    USING unnest($1::int4[], $2::text[], $3::text[], $4::int8[]) s (device_no, to_jid, message_id, row_id),
          LATERAL jid_now(s.device_no, s.to_jid) person, chats c
    WHERE c.device_no = s.device_no AND c.jid = person.jid AND p.chat_id = c.id AND p.message_id = s.message_id
      AND p.change ->> 'change' = 'status'
    RETURNING s.row_id, (p.change ->> 'status')::int2 AS status, to_timestamp((p.change ->> 'at')::int8) AS at
), furthest AS (
    SELECT DISTINCT ON (row_id) row_id, status, at FROM early ORDER BY row_id, status DESC, at DESC
)
UPDATE outbox o SET state = CASE WHEN message_status(f.status) = 'delivered' THEN 'delivered' ELSE 'read' END,
    delivered_at = f.at,
    read_at = CASE WHEN message_status(f.status) <> 'delivered' THEN f.at END
FROM furthest f
WHERE o.id = f.row_id AND o.state = 'sent'

-- name: quoted_message
-- One chat holds few messages, so that looking through them by id is cheap.
SELECT m.body, m.flags & 1 <> 0 AS from_me, coalesce(jid_of(m.sender), c.jid) AS sender,
       CASE WHEN m.flags & 128 <> 0 THEN coalesce(jid_of(m.sender), d.jid) ELSE d.jid END AS own
FROM jid_now($1, $2) person
JOIN chats c ON c.device_no = $1 AND c.jid = person.jid
JOIN devices d ON d.no = c.device_no
JOIN messages m ON m.chat_id = c.id
WHERE m.message_id = $3
LIMIT 1

-- name: author_of
-- NULL for ours.
SELECT CASE WHEN m.flags & 1 = 0 THEN coalesce(jid_of(m.sender), c.jid) END
FROM jid_now($1, $2) person
JOIN chats c ON c.device_no = $1 AND c.jid = person.jid
JOIN messages m ON m.chat_id = c.id
WHERE m.message_id = $3
LIMIT 1

-- name: pause_device
-- WhatsApp limits this number: paced sends wait, and people see why and until when. A pause that lasts longer stays.
UPDATE devices SET paused_until = now() + make_interval(secs => $2), pause_reason = $3, pause_cause = $4
WHERE no = $1 AND (paused_until < now() + make_interval(secs => $2)) IS NOT FALSE
RETURNING tenant_id
