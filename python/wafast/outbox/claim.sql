-- name: claim
-- What may leave now, for all of a worker's online devices together: at most one reply and one paced row a device.
-- $1 the worker, $2 devices whose last reply has left, $3 devices whose last paced row has left.
-- The device row is locked because its clock and counters move here, for all that is sent from it; paced rows wait for
-- the clock and the caps, replies do not. A row is only claimed under a lease that holds: the epoch goes into the row.
WITH held AS (
    SELECT d.no, l.epoch, d.min_seconds, d.max_seconds, d.typing,
           greatest(d.next_send_at,
                    d.paused_until,
                    CASE WHEN d.hour_count >= d.per_hour THEN d.hour_start + interval '1 hour' END,
                    CASE WHEN d.day_count >= d.per_day THEN d.day_start + interval '1 day' END) AS paced_at
    FROM leases l
    JOIN devices d ON d.no = l.device_no
    WHERE l.worker_id = $1 AND (l.device_no = ANY ($2::int4[]) OR l.device_no = ANY ($3::int4[]))
      AND EXISTS (SELECT FROM outbox o WHERE o.device_no = d.no AND o.state = 'queued')
    FOR NO KEY UPDATE OF d SKIP LOCKED
),
picked AS (
    SELECT row.id, h.no, h.epoch
    FROM held h
    CROSS JOIN LATERAL (
        SELECT o.id FROM outbox o
        WHERE o.device_no = h.no AND o.state = 'queued' AND o.priority = 'reply' AND o.not_before <= now()
          AND (o.expires_at IS NULL OR o.expires_at > now())
        ORDER BY o.not_before, o.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) row
    WHERE h.no = ANY ($2)
  UNION ALL
    SELECT row.id, h.no, h.epoch
    FROM held h
    CROSS JOIN LATERAL (
        SELECT o.id FROM outbox o
        WHERE o.device_no = h.no AND o.state = 'queued' AND o.priority = 'paced' AND o.not_before <= now()
          AND (o.expires_at IS NULL OR o.expires_at > now())
        ORDER BY o.not_before, o.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) row
    WHERE h.no = ANY ($3) AND h.paced_at <= now()
),
claimed AS (
    UPDATE outbox o SET state = 'sending', reason = NULL, claim_worker = $1, claim_epoch = p.epoch, claimed_at = now(),
                        attempts = o.attempts + 1
    FROM picked p
    WHERE o.id = p.id AND o.state = 'queued'
    RETURNING o.*
),
clock AS (
    UPDATE devices d SET
        next_send_at = now() + make_interval(secs => d.min_seconds + random() * (d.max_seconds - d.min_seconds)),
        hour_start = CASE WHEN d.hour_start > now() - interval '1 hour' THEN d.hour_start ELSE now() END,
        hour_count = CASE WHEN d.hour_start > now() - interval '1 hour' THEN d.hour_count ELSE 0 END + c.sends,
        day_start = CASE WHEN d.day_start > now() - interval '1 day' THEN d.day_start ELSE now() END,
        day_count = CASE WHEN d.day_start > now() - interval '1 day' THEN d.day_count ELSE 0 END + c.sends
    FROM (SELECT device_no, count(*)::int4 AS sends FROM claimed GROUP BY device_no) c
    WHERE d.no = c.device_no
)
SELECT c.id, c.tenant_id, c.device_no, c.to_jid, c.kind, c.body, c.media_sha256, c.file_name, c.quoted, c.target,
       c.forwarded, c.priority, c.attempts, c.claim_epoch, h.typing, m.mime AS media_mime, m.seconds AS media_seconds,
       m.waveform AS media_waveform
FROM claimed c
JOIN held h ON h.no = c.device_no
LEFT JOIN media m ON m.tenant_id = c.tenant_id AND m.sha256 = c.media_sha256

-- name: next_due
-- Seconds until the next row of these devices may leave; NULL when none waits. $1 $2 as $2 $3 of claim.
-- One probe of outbox_due a device, however long its queue is.
SELECT extract(epoch FROM min(due.at) - now())::float8
FROM (
    SELECT row.not_before AS at
    FROM unnest($1::int4[]) AS d (no)
    CROSS JOIN LATERAL (
        SELECT o.not_before FROM outbox o
        WHERE o.device_no = d.no AND o.state = 'queued' AND o.priority = 'reply'
          AND (o.expires_at IS NULL OR o.expires_at > now())
        ORDER BY o.not_before, o.id LIMIT 1
    ) row
  UNION ALL
    SELECT greatest(row.not_before, d.next_send_at, d.paused_until,
                    CASE WHEN d.hour_count >= d.per_hour THEN d.hour_start + interval '1 hour' END,
                    CASE WHEN d.day_count >= d.per_day THEN d.day_start + interval '1 day' END)
    FROM devices d
    CROSS JOIN LATERAL (
        SELECT o.not_before FROM outbox o
        WHERE o.device_no = d.no AND o.state = 'queued' AND o.priority = 'paced'
          AND (o.expires_at IS NULL OR o.expires_at > now())
        ORDER BY o.not_before, o.id LIMIT 1
    ) row
    WHERE d.no = ANY ($2::int4[])
) due

-- name: expire_queued
UPDATE outbox SET state = 'expired', reason = 'it could not leave in time'
WHERE state = 'queued' AND device_no = ANY ($1::int4[]) AND expires_at <= now()
RETURNING id, tenant_id, device_no

-- name: give_up_lost
-- A claim whose answer never reached its worker ($1), which therefore does not send it ($2 is what it does send).
UPDATE outbox SET state = 'unknown', reason = 'the database went away while it was claimed; it may have left'
WHERE state = 'sending' AND claim_worker = $1 AND claimed_at < now() - interval '1 minute'
  AND NOT id = ANY ($2::int8[])
RETURNING id, tenant_id, device_no

-- name: orphan_sends
-- What an earlier holder of these devices was sending when it ended: nobody knows whether it left.
UPDATE outbox o SET state = 'unknown', reason = 'wafast stopped while it was being sent; it may have left'
FROM leases l
WHERE o.device_no = ANY ($1::int4[]) AND o.state = 'sending' AND l.device_no = o.device_no
  AND (o.claim_worker IS DISTINCT FROM l.worker_id OR o.claim_epoch IS DISTINCT FROM l.epoch)
RETURNING o.id, o.tenant_id, o.device_no
