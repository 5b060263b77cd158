-- name: pick
-- What may leave now, for the devices of a worker that are looked at: at most one reply and one paced row a device, with
-- what its words are made of, or why it is known not to leave. It is locked, and claimed in the same transaction.
-- $1 the worker, $2 devices whose last reply has left, $3 devices whose last paced row has left, $4 devices of which a reply's
-- file is on its way, each ($5) to a JID, whose name may be known only since: what neither goes there nor is a file passes it.
-- $6 the instant (NULL: now), $7 for how many days it holds that a number is not on WhatsApp, $8 whether people's answers
-- are heard: where nobody could opt out, no source's row leaves.
-- The device row is locked because its clock and counters move with the claim, for all that is sent from it; paced rows
-- wait for the clock and the caps, replies do not. Only under a lease that holds: its epoch goes into the row.
-- Of a device's sources the one whose turn it is goes first, so that those of one with a short gap don't pass all others.
-- A lane that was walked later than now was so before the clock was set back: what comes now may lie before what was taken.
WITH clock AS MATERIALIZED (
    SELECT coalesce($6::timestamptz, now()) AS at
),
held AS (
    SELECT d.no, l.epoch, d.typing, free_at(d, at) AS free_at, d AS device
    FROM (SELECT DISTINCT no FROM unnest($2::int4[] || $3::int4[]) no) looked
    JOIN leases l ON l.device_no = looked.no AND l.worker_id = $1
    JOIN devices d ON d.no = looked.no
    CROSS JOIN clock
    FOR NO KEY UPDATE OF d SKIP LOCKED
),
replies AS MATERIALIZED (
    SELECT row.o, h.no, h.epoch, h.typing, NULL::int8 AS source_id, NULL::text AS zone, NULL::bool AS is_walked,
           false AS is_first, NULL::text AS ends, named_jid((h.device).tenant_id, (h.device).network, (row.o).to_jid) AS named
    FROM held h
    CROSS JOIN clock
    CROSS JOIN LATERAL (
        SELECT o FROM outbox o
        WHERE o.device_no = h.no AND o.state = 'queued' AND o.priority = 'reply' AND o.not_before <= at
          AND (o.expires_at IS NULL OR o.expires_at > at)
          AND NOT EXISTS (SELECT FROM unnest($4::int4[], $5::text[]) f (no, jid)
                          WHERE f.no = h.no AND (named_jid(o.tenant_id, (h.device).network, f.jid)
                                                   = named_jid(o.tenant_id, (h.device).network, o.to_jid)
                                                 OR o.media_sha256 IS NOT NULL))
        ORDER BY o.not_before, o.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) row
    WHERE h.no = ANY ($2)
),
paced AS MATERIALIZED (
    SELECT row.o, h.no, h.epoch, h.typing, row.source_id, row.zone, row.is_walked, row.turn = '-infinity',
           CASE WHEN row.source_id IS NULL THEN NULL
                WHEN EXISTS (SELECT FROM suppressions u WHERE u.tenant_id = row.tenant_id AND u.phone = row.phone)
                    THEN 'opted_out'
                WHEN EXISTS (SELECT FROM number_checks c
                             WHERE c.tenant_id = row.tenant_id AND c.network = (h.device).network AND c.phone = row.phone
                               AND c.jid IS NULL AND c.checked_at > at - make_interval(days => $7))
                    THEN 'not_on_whatsapp'
                WHEN elsewhere.is_so THEN 'same_person' END,
           row.named
    FROM held h
    CROSS JOIN clock
    CROSS JOIN LATERAL (
        SELECT o.o, '+' || split_part(o.to_jid, '@', 1) AS phone, o.tenant_id, n.source_id, n.zone, n.is_walked, n.gap, n.turn,
               named_jid(o.tenant_id, (h.device).network, o.to_jid) AS named
        FROM (
            SELECT n.id, n.source_id, n.zone, n.claimed_at, gap_before(h.device, s) AS gap,
                   n.walked_at NOT BETWEEN at - interval '1 minute' AND at + interval '1 minute' AS is_walked, n.passed_at, n.passed_id, n.turn
            FROM (SELECT n.*, max(n.claimed_at) OVER (PARTITION BY n.source_id) AS turn
                  FROM lanes n WHERE n.device_no = h.no AND n.is_live) n
            LEFT JOIN sources s ON s.id = n.source_id
            WHERE (s.state = 'running' AND $8 OR n.source_id IS NULL)
              AND is_open(s.opens, s.closes, coalesce(s.days, 127::int2), n.zone, at)
              AND is_open((h.device).quiet_until, (h.device).quiet_from, 127::int2, n.zone, at)
            ORDER BY n.turn, n.source_id, n.claimed_at, n.id
        ) n
        CROSS JOIN LATERAL (
            SELECT o, o.to_jid, o.tenant_id FROM outbox o
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
    CROSS JOIN LATERAL has_elsewhere(row.o, row.named) elsewhere
    WHERE h.no = ANY ($3) AND h.free_at <= at AND (h.device).last_paced_at + row.gap <= at
),
picked AS (
    TABLE replies UNION ALL TABLE paced
)
SELECT (o).id, (o).tenant_id, p.no AS device_no, p.source_id, (o).to_jid, p.named,
       CASE WHEN p.source_id IS NOT NULL THEN nullif(p.named, (o).to_jid) END AS named_jid, coalesce(s.kind, (o).kind) AS kind, (o).body,
       CASE WHEN s.id IS NULL THEN (o).media_sha256 ELSE s.media_sha256 END AS media_sha256,
       CASE WHEN s.id IS NULL THEN (o).file_name ELSE s.file_name END AS file_name, (o).quoted, (o).target, (o).forwarded,
       (o).priority, (o).attempts + 1 AS attempts, (o).refusals, p.epoch AS claim_epoch, p.is_first, p.is_walked, p.ends, p.typing,
       m.mime AS media_mime, m.seconds AS media_seconds, m.waveform AS media_waveform, m.width AS media_width,
       m.height AS media_height, m.poster AS media_poster, extract(epoch FROM (o).expires_at - at)::float8 AS expires_in,
       s.template, (o).lead_id, l.name AS lead_name,
       l.phone AS lead_phone, l.fields AS lead_fields,
       CASE WHEN s.id IS NOT NULL THEN extract(hour FROM at AT TIME ZONE p.zone)::int4 END AS local_hour
FROM picked p
CROSS JOIN clock
LEFT JOIN sources s ON s.id = p.source_id
LEFT JOIN leads l ON l.id = (o).lead_id AND l.tenant_id = (o).tenant_id AND s.id IS NOT NULL
LEFT JOIN media m ON m.tenant_id = (o).tenant_id
                 AND m.sha256 = CASE WHEN s.id IS NULL THEN (o).media_sha256 ELSE s.media_sha256 END

-- name: claim
-- Claims what was picked in this transaction: state, words, clock and caps move together, and each row once, as every
-- version of a row is an entry in each of its indexes. $1 the worker, $2 rows, $3 epochs, $4 whether each one's lane was
-- walked from its beginning, $5 $6 $7 $8 kind, file and its name, and how WhatsApp names the person, as picked, $9 words (NULL:
-- its own), $10 what kind of reason keeps it here and $11 in words (NULL: it leaves), $12 the instant (NULL: now). What does not
-- leave ends, and costs no clock.
WITH clock AS MATERIALIZED (
    SELECT coalesce($12::timestamptz, now()) AS at
),
claimed AS (
    UPDATE outbox o SET
        state = CASE WHEN w.cause IS NULL THEN 'sending' WHEN w.cause IN ('opted_out', 'same_person') THEN 'cancelled' ELSE 'failed' END,
        cause = w.cause,
        reason = w.reason,
        body = coalesce(w.words, o.body),
        kind = w.kind,
        media_sha256 = w.media_sha256,
        file_name = w.file_name,
        named_jid = CASE WHEN w.cause IS NULL THEN w.named_jid END,
        claim_worker = $1, claim_epoch = w.epoch, claimed_at = at,
        attempts = o.attempts + (w.cause IS NULL)::int4
    FROM unnest($2::int8[], $3::int8[], $4::bool[], $5::text[], $6::bytea[], $7::text[], $8::text[], $9::text[], $10::text[],
                $11::text[])
        w (id, epoch, is_walked, kind, media_sha256, file_name, named_jid, words, cause, reason)
    CROSS JOIN clock
    WHERE o.id = w.id AND o.state = 'queued'
    RETURNING o.id, o.device_no, o.lane_id, o.priority, o.not_before, w.cause, w.is_walked
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
          FROM claimed WHERE cause IS NULL GROUP BY device_no) c
    CROSS JOIN clock
    WHERE d.no = c.device_no
),
free_lanes AS (
    -- whoever holds a lane stops or starts its source: nobody waits for him, and he for nobody; it has its turn once more
    SELECT n.id FROM claimed c JOIN lanes n ON n.id = c.lane_id
    WHERE c.priority = 'paced' FOR NO KEY UPDATE OF n SKIP LOCKED
),
moved_lanes AS (
    UPDATE lanes n SET
        claimed_at = CASE WHEN c.cause IS NULL THEN at ELSE n.claimed_at END,
        passed_at = c.not_before,
        passed_id = c.id,
        walked_at = CASE WHEN c.is_walked THEN at ELSE n.walked_at END
    FROM claimed c
    JOIN free_lanes f ON f.id = c.lane_id
    CROSS JOIN clock
    WHERE n.id = c.lane_id AND c.priority = 'paced'
)
SELECT id FROM claimed

-- name: held_since
-- Whether a claim ($1 worker, $2 row, $3 epoch, $4 attempt, $5 device) may not leave any more, and why: for one that has been
-- uploaded or typed for seconds since. NULL: it leaves. What holds it here holds it back in `pick` too, or it would be typed
-- again and again. A reply has no lane, and no hours.
SELECT CASE WHEN s.id IS NOT NULL AND EXISTS (
                SELECT FROM suppressions u
                WHERE u.tenant_id = o.tenant_id AND u.phone = '+' || split_part(o.to_jid, '@', 1)) THEN 'opted_out'
            WHEN o.cause IS NULL AND o.not_before <= now() AND (o.expires_at > now()) IS NOT FALSE
                 AND (n.id IS NULL OR n.device_no = o.device_no AND n.is_live AND (s.state = 'running') IS NOT FALSE
                      AND (d.paused_until > now()) IS NOT TRUE
                      AND is_open(s.opens, s.closes, coalesce(s.days, 127::int2), n.zone, now())
                      AND is_open(d.quiet_until, d.quiet_from, 127::int2, n.zone, now())) THEN NULL
            ELSE 'held' END AS held
FROM outbox o
JOIN leases l ON l.device_no = o.device_no AND l.worker_id = o.claim_worker AND l.epoch = o.claim_epoch
JOIN devices d ON d.no = o.device_no
LEFT JOIN lanes n ON n.id = o.lane_id
LEFT JOIN sources s ON s.id = n.source_id
WHERE o.id = $2 AND o.state = 'sending' AND o.claim_worker = $1 AND o.claim_epoch = $3 AND o.attempts = $4
  AND o.device_no = $5

-- name: next_due
-- When to look at these devices again: each with the instant from which on something of it may leave, or be another's turn.
-- $1 to $5 as $2 to $6 of pick, $6 as its $8. A device of which nothing waits is not among them. One probe a lane, however much
-- waits; a lane that was walked from its beginning, and has nothing that is due, is not walked so again for a minute.
WITH clock AS MATERIALIZED (
    SELECT coalesce($5::timestamptz, now()) AS at
),
waiting AS MATERIALIZED (
    SELECT d.no, n.id, n.source_id, n.claimed_at, n.turn, n.is_walked, row.not_before, gap_before(d, s) AS gap,
           CASE WHEN row.not_before IS NOT NULL
                THEN next_open(d, s, n.zone, greatest(row.not_before, clock.at)) END AS ready_at
    FROM unnest($2::int4[]) looked (no)
    JOIN devices d USING (no)
    CROSS JOIN clock
    CROSS JOIN LATERAL (
        SELECT n.*, max(n.claimed_at) OVER (PARTITION BY n.source_id) AS turn,
               n.walked_at NOT BETWEEN clock.at - interval '1 minute' AND clock.at + interval '1 minute' AS is_walked
        FROM lanes n WHERE n.device_no = d.no AND n.is_live
    ) n
    LEFT JOIN sources s ON s.id = n.source_id
    LEFT JOIN LATERAL (
        SELECT o.not_before FROM outbox o
        WHERE o.lane_id = n.id AND o.state = 'queued'
          AND (o.not_before, o.id) >= (CASE WHEN n.is_walked THEN '-infinity' ELSE n.passed_at END,
                                       CASE WHEN n.is_walked THEN 0 ELSE n.passed_id END)
          AND (o.expires_at IS NULL OR o.expires_at > clock.at)
        ORDER BY o.not_before, o.id LIMIT 1
    ) row ON true
    WHERE s.state = 'running' AND $6 OR n.source_id IS NULL
),
empty AS (
    SELECT n.id FROM waiting w CROSS JOIN clock JOIN lanes n USING (id)
    WHERE w.is_walked AND (w.not_before > clock.at) IS NOT FALSE FOR NO KEY UPDATE OF n SKIP LOCKED
),
walked AS (
    UPDATE lanes n SET walked_at = clock.at FROM empty CROSS JOIN clock WHERE n.id = empty.id
),
due AS (
    SELECT no, row.not_before AS at
    FROM unnest($1::int4[]) due_of (no)
    CROSS JOIN clock
    CROSS JOIN LATERAL (
        SELECT o.not_before FROM outbox o
        WHERE o.device_no = due_of.no AND o.state = 'queued' AND o.priority = 'reply'
          AND (o.expires_at IS NULL OR o.expires_at > clock.at)
          AND NOT EXISTS (SELECT FROM unnest($3::int4[], $4::text[]) f (no, jid) JOIN devices d ON d.no = f.no
                          WHERE f.no = due_of.no AND (named_jid(o.tenant_id, d.network, f.jid)
                                                        = named_jid(o.tenant_id, d.network, o.to_jid)
                                                      OR o.media_sha256 IS NOT NULL))
        ORDER BY o.not_before, o.id LIMIT 1
    ) row
  UNION ALL
    SELECT no, CASE WHEN ready_at > clock.at THEN ready_at
                    WHEN place = 1 THEN greatest(free_at(d, clock.at), d.last_paced_at + gap) END
    FROM (SELECT w.*, row_number() OVER (PARTITION BY no
                                         ORDER BY ready_at > clock.at, turn, source_id, claimed_at, id) AS place
          FROM waiting w CROSS JOIN clock WHERE ready_at IS NOT NULL) w
    JOIN devices d USING (no)
    CROSS JOIN clock
)
SELECT no, extract(epoch FROM min(at) - (SELECT at FROM clock))::float8 AS seconds FROM due WHERE at IS NOT NULL GROUP BY no

-- name: ahead
-- A worker's ($1) devices that have sent later than now: the database's clock was set back since.
SELECT d.no FROM leases l JOIN devices d ON d.no = l.device_no
WHERE l.worker_id = $1
  AND (d.last_paced_at > now() + interval '1 minute' OR d.hour_slot > slot_of(now() + interval '1 minute', 300)
       OR d.day_slot > slot_of(now() + interval '1 minute', 3600))

-- name: set_rows_back
-- What had come to its time at these devices ($1), and in the pool, before the clock was set back is due now; $2 the most at once.
-- An instant that a person chose stays: neither a campaign's row has one, nor what was tried, or was due when it was made. A step
-- is due as its delay was over by the device's last send. Who tries again waits five minutes at most.
WITH late AS (
    SELECT o.id FROM devices d
    CROSS JOIN LATERAL (
        SELECT q.* FROM lanes n JOIN outbox q ON q.lane_id = n.id AND q.state = 'queued'
        WHERE n.device_no = d.no OR n.device_no IS NULL AND n.tenant_id = d.tenant_id
      UNION ALL
        SELECT q.* FROM outbox q WHERE q.device_no = d.no AND q.state = 'queued' AND q.priority = 'reply'
    ) o
    WHERE d.no = ANY ($1::int4[]) AND o.not_before > now() + interval '10 minutes'
      AND (o.not_before <= o.created_at + interval '1 second' OR o.enrolment_id IS NULL AND (o.source_id IS NOT NULL OR o.attempts > 0)
           OR o.enrolment_id IS NOT NULL AND o.not_before <= d.last_paced_at)
    LIMIT $2
), held AS (
    SELECT id FROM outbox WHERE id IN (SELECT id FROM late) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE outbox o SET not_before = now() FROM held WHERE o.id = held.id RETURNING o.id
)
SELECT count(*) FROM moved

-- name: set_lanes_back
-- Each has its turn as if it had sent now, and is looked at from its beginning.
WITH held AS (
    SELECT n.id FROM lanes n WHERE n.device_no = ANY ($1::int4[]) AND n.claimed_at > now() ORDER BY n.id
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE lanes n SET claimed_at = now(), walked_at = '-infinity' FROM held WHERE n.id = held.id

-- name: set_clocks_back
-- What these devices ($1) have sent counts as sent now; else they would wait until then. A pause lasts as long as it did.
WITH held AS (
    SELECT no, greatest(last_paced_at, to_timestamp(hour_slot * 300)) - now() AS ahead FROM devices
    WHERE no = ANY ($1::int4[]) ORDER BY no FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE devices d SET last_paced_at = least(d.last_paced_at, now()), hour_slot = least(d.hour_slot, slot_of(now(), 300)),
                     day_slot = least(d.day_slot, slot_of(now(), 3600)),
                     paused_until = d.paused_until - greatest(held.ahead, interval '0')
FROM held WHERE d.no = held.no

-- name: expire_queued
-- Of any device, and of none: whoever looks first. $1 the most at once. Not of a step that is held back: its time stands still.
UPDATE outbox SET state = 'expired', reason = 'it could not leave in time'
WHERE id IN (SELECT o.id FROM outbox o WHERE state = 'queued' AND expires_at <= now()
               AND (enrolment_id IS NULL OR EXISTS (SELECT FROM sources s WHERE s.id = o.source_id AND s.state = 'running'))
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
