-- name: claim
-- What may leave now, for the devices of a worker that are looked at: at most one reply and one paced row a device.
-- $1 the worker, $2 devices whose last reply has left, $3 devices whose last paced row has left, $4 the instant (NULL: now).
-- The device row is locked because its clock and counters move here, for all that is sent from it; paced rows wait for
-- the clock and the caps, replies do not. A row is only claimed under a lease that holds: the epoch goes into the row.
-- Of a device's sources the one whose turn it is goes first, so that those of one with a short gap don't pass all others.
WITH clock AS MATERIALIZED (
    SELECT coalesce($4::timestamptz, now()) AS at
),
held AS (
    SELECT d.no, l.epoch, d.typing, free_at(d, at) AS free_at, d AS device
    FROM (SELECT DISTINCT no FROM unnest($2::int4[] || $3::int4[]) no) looked
    JOIN leases l ON l.device_no = looked.no AND l.worker_id = $1
    JOIN devices d ON d.no = looked.no
    CROSS JOIN clock
    FOR NO KEY UPDATE OF d SKIP LOCKED
),
picked AS (
    SELECT row.id, h.no, h.epoch, NULL::int8 AS lane_id, NULL::int8 AS source_id, NULL::timestamptz AS passed_at,
           NULL::bool AS is_walked, false AS is_unwanted
    FROM held h
    CROSS JOIN clock
    CROSS JOIN LATERAL (
        SELECT o.id FROM outbox o
        WHERE o.device_no = h.no AND o.state = 'queued' AND o.priority = 'reply' AND o.not_before <= at
          AND (o.expires_at IS NULL OR o.expires_at > at)
        ORDER BY o.not_before, o.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) row
    WHERE h.no = ANY ($2)
  UNION ALL
    SELECT row.id, h.no, h.epoch, row.lane_id, row.source_id, row.not_before, row.is_walked,
           row.source_id IS NOT NULL AND EXISTS (
               SELECT FROM suppressions u
               WHERE u.tenant_id = row.tenant_id AND u.phone = '+' || split_part(row.to_jid, '@', 1))
    FROM held h
    CROSS JOIN clock
    CROSS JOIN LATERAL (
        SELECT o.id, o.not_before, o.to_jid, o.tenant_id, n.id AS lane_id, n.source_id, n.is_walked, n.gap
        FROM (
            SELECT n.id, n.source_id, n.claimed_at, gap_before(h.device, s) AS gap,
                   n.walked_at < at - interval '1 minute' AS is_walked, n.passed_at, n.passed_id, n.turn
            FROM (SELECT n.*, max(n.claimed_at) OVER (PARTITION BY n.source_id) AS turn
                  FROM lanes n WHERE n.device_no = h.no AND n.is_live) n
            LEFT JOIN sources s ON s.id = n.source_id
            WHERE (s.state = 'running' OR n.source_id IS NULL)
              AND is_open(s.opens, s.closes, coalesce(s.days, 127::int2), n.zone, at)
              AND is_open((h.device).quiet_until, (h.device).quiet_from, 127::int2, n.zone, at)
            ORDER BY n.turn, n.source_id, n.claimed_at, n.id
        ) n
        CROSS JOIN LATERAL (
            SELECT o.id, o.not_before, o.to_jid, o.tenant_id FROM outbox o
            WHERE o.lane_id = n.id AND o.state = 'queued' AND o.not_before <= at
              AND (o.not_before, o.id) >= (CASE WHEN n.is_walked THEN '-infinity' ELSE n.passed_at END,
                                           CASE WHEN n.is_walked THEN 0 ELSE n.passed_id END)
              AND (o.expires_at IS NULL OR o.expires_at > at)
            ORDER BY o.not_before, o.id
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        ) o
        LIMIT 1
    ) row
    WHERE h.no = ANY ($3) AND h.free_at <= at AND (h.device).last_paced_at + row.gap <= at
),
claimed AS (
    UPDATE outbox o SET
        state = CASE WHEN p.is_unwanted THEN 'cancelled' ELSE 'sending' END,
        cause = CASE WHEN p.is_unwanted THEN 'opted_out' END,
        reason = CASE WHEN p.is_unwanted THEN 'this person wants no more of these messages' END,
        kind = coalesce(s.kind, o.kind),
        media_sha256 = CASE WHEN s.id IS NULL THEN o.media_sha256 ELSE s.media_sha256 END,
        file_name = CASE WHEN s.id IS NULL THEN o.file_name ELSE s.file_name END,
        claim_worker = $1, claim_epoch = p.epoch, claimed_at = at,
        attempts = o.attempts + (NOT p.is_unwanted)::int4
    FROM picked p
    CROSS JOIN clock
    LEFT JOIN sources s ON s.id = p.source_id
    WHERE o.id = p.id AND o.state = 'queued'
    RETURNING o.*, p.is_unwanted, p.is_walked, p.passed_at, s.template
),
moved_clock AS (
    UPDATE devices d SET
        last_paced_at = CASE WHEN c.is_paced THEN at ELSE d.last_paced_at END,
        gap_draw = CASE WHEN c.is_paced THEN random() ELSE d.gap_draw END,
        hour_sends = sends_counted(d.hour_sends, d.hour_slot, slot_of(at, 300), c.sends, 13),
        hour_slot = greatest(d.hour_slot, slot_of(at, 300)),
        day_sends = sends_counted(d.day_sends, d.day_slot, slot_of(at, 3600), c.sends, 25),
        day_slot = greatest(d.day_slot, slot_of(at, 3600))
    FROM (SELECT device_no, count(*)::int4 AS sends, bool_or(priority = 'paced') AS is_paced
          FROM claimed WHERE NOT is_unwanted GROUP BY device_no) c
    CROSS JOIN clock
    WHERE d.no = c.device_no
),
moved_lanes AS (
    UPDATE lanes n SET
        claimed_at = CASE WHEN c.is_unwanted THEN n.claimed_at ELSE at END,
        passed_at = c.passed_at,
        passed_id = c.id,
        walked_at = CASE WHEN c.is_walked THEN at ELSE n.walked_at END
    FROM claimed c
    CROSS JOIN clock
    WHERE c.passed_at IS NOT NULL AND n.id = c.lane_id
)
SELECT c.id, c.tenant_id, c.device_no, c.source_id, c.to_jid, c.kind, c.body, c.media_sha256, c.file_name, c.quoted,
       c.target, c.forwarded, c.priority, c.attempts, c.claim_epoch, c.is_unwanted, h.typing, m.mime AS media_mime,
       m.seconds AS media_seconds, m.waveform AS media_waveform, c.template, c.lead_id, l.name AS lead_name,
       l.phone AS lead_phone, l.fields AS lead_fields,
       CASE WHEN c.source_id IS NOT NULL THEN extract(hour FROM at AT TIME ZONE n.zone)::int4 END AS local_hour
FROM claimed c
CROSS JOIN clock
JOIN held h ON h.no = c.device_no
LEFT JOIN lanes n ON n.id = c.lane_id AND c.source_id IS NOT NULL
LEFT JOIN leads l ON l.id = c.lead_id AND l.tenant_id = c.tenant_id AND c.source_id IS NOT NULL
LEFT JOIN media m ON m.tenant_id = c.tenant_id AND m.sha256 = c.media_sha256

-- name: store_words
-- What a claimed row will say, before it leaves: compare-and-set on the claim. $1 the worker, $2 rows, $3 their epochs, $4 words.
UPDATE outbox o SET body = w.body
FROM unnest($2::int8[], $3::int8[], $4::text[]) w (id, epoch, body)
WHERE o.id = w.id AND o.state = 'sending' AND o.claim_worker = $1 AND o.claim_epoch = w.epoch
RETURNING o.id

-- name: next_due
-- When to look at these devices again: each with the instant from which on something of it may leave, or be another's turn.
-- $1 $2 $3 as $2 $3 $4 of claim. A device of which nothing waits is not among them. One probe a lane, however much waits.
WITH clock AS MATERIALIZED (
    SELECT coalesce($3::timestamptz, now()) AS at
),
due AS (
    SELECT no, row.not_before AS at
    FROM unnest($1::int4[]) no
    CROSS JOIN clock
    CROSS JOIN LATERAL (
        SELECT o.not_before FROM outbox o
        WHERE o.device_no = no AND o.state = 'queued' AND o.priority = 'reply'
          AND (o.expires_at IS NULL OR o.expires_at > clock.at)
        ORDER BY o.not_before, o.id LIMIT 1
    ) row
  UNION ALL
    SELECT no, lane.at
    FROM unnest($2::int4[]) looked (no)
    JOIN devices d USING (no)
    CROSS JOIN clock
    CROSS JOIN LATERAL (
        SELECT min(CASE WHEN ready_at > clock.at THEN ready_at
                        WHEN place = 1 THEN greatest(free_at(d, clock.at), d.last_paced_at + gap) END) AS at
        FROM (
            SELECT n.ready_at, n.gap,
                   row_number() OVER (ORDER BY n.ready_at > clock.at, n.turn, n.source_id, n.claimed_at, n.id) AS place
            FROM (
                SELECT n.id, n.source_id, n.claimed_at, n.turn, gap_before(d, s) AS gap,
                       next_open(d, s, n.zone, greatest(row.not_before, clock.at)) AS ready_at
                FROM (SELECT n.*, max(n.claimed_at) OVER (PARTITION BY n.source_id) AS turn
                      FROM lanes n WHERE n.device_no = d.no AND n.is_live) n
                LEFT JOIN sources s ON s.id = n.source_id
                CROSS JOIN LATERAL (
                    SELECT o.not_before FROM outbox o
                    WHERE o.lane_id = n.id AND o.state = 'queued'
                      AND (o.not_before, o.id) >= (
                          CASE WHEN n.walked_at < clock.at - interval '1 minute' THEN '-infinity' ELSE n.passed_at END,
                          CASE WHEN n.walked_at < clock.at - interval '1 minute' THEN 0 ELSE n.passed_id END)
                      AND (o.expires_at IS NULL OR o.expires_at > clock.at)
                    ORDER BY o.not_before, o.id LIMIT 1
                ) row
                WHERE s.state = 'running' OR n.source_id IS NULL
                OFFSET 0  -- or the next opening is looked for in each place it is used
            ) n
            WHERE n.ready_at IS NOT NULL
        ) waiting
    ) lane
)
SELECT no, extract(epoch FROM min(at) - (SELECT at FROM clock))::float8 AS seconds FROM due WHERE at IS NOT NULL GROUP BY no

-- name: expire_queued
-- Of any device, and of none: whoever looks first. $1 the most at once.
UPDATE outbox SET state = 'expired', reason = 'it could not leave in time'
WHERE id IN (SELECT id FROM outbox WHERE state = 'queued' AND expires_at <= now()
             ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
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
