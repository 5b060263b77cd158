-- Reads the outbox itself: that a device has a send under way is seen in the statement that takes, or lets go of, its lease.
-- One that asked before would let go of a device that claims in between.

-- name: beat
-- One row for all devices a worker holds. A worker that was away longer than its lease begins to live again here; what
-- others took from it meanwhile shows where the reconciler next reads its devices.
INSERT INTO workers (id, network, node, pid, process_start, expires_at, figures, is_trial, home)
VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), coalesce($7, '{}'::jsonb), $8, $9)
ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, figures = coalesce($7, workers.figures), beat_at = now(),
    home = excluded.home

-- name: neighbours
SELECT id, pid, process_start FROM workers WHERE node = $1 AND expires_at > '-infinity'

-- name: bury_workers
-- Their processes are gone, which is more than a heartbeat that does not come. $2: those that ended by themselves. Who was
-- first has said what became of it.
UPDATE workers SET expires_at = '-infinity', crashed = id = ANY ($2::uuid[])
WHERE id = ANY ($1::uuid[]) AND expires_at > '-infinity'

-- name: forget_workers
DELETE FROM workers w WHERE beat_at < now() - interval '1 day'
    AND NOT EXISTS (SELECT FROM leases l WHERE l.worker_id = w.id)

-- name: instant
SELECT clock_timestamp()

-- name: bury
-- What dead workers held is free, and no longer said to be online. Devices that were coming online when their worker died
-- ($1: or were so for less than these seconds) are blamed, if it ended by itself; one that is blamed alone, for the $2nd
-- time in a row, is quarantined. $3, $4: the reasons people read. A database that has just come up ($5 seconds) heard
-- nobody's heartbeat: it only knows of those whose process is gone. So it is with one that stood still between $6, when
-- it was asked last, and now. $7 live, whatever their heartbeat: two sessions must not run on one file. Who lives longer
-- than a heartbeat makes one live has not beaten since the clock was set back.
WITH set_back AS (
    UPDATE workers SET expires_at = now() WHERE expires_at > now() + make_interval(secs => 2 * $5)
),
dead AS (
    SELECT d.no, d.state, d.jid, l.worker_id, d.crashes,
           w.crashed AND (d.state IN ('pairing', 'connecting') OR d.state = 'online'
               AND coalesce(d.online_at > w.beat_at - make_interval(secs => $1), false)) AS is_blamed
    FROM leases l JOIN workers w ON w.id = l.worker_id JOIN devices d ON d.no = l.device_no
    WHERE w.expires_at = '-infinity'
       OR w.expires_at <= now() AND pg_postmaster_start_time() NOT BETWEEN now() - make_interval(secs => $5) AND now()
          AND now() < $6::timestamptz + interval '3 seconds' AND w.id <> ALL ($7::uuid[])
    FOR UPDATE OF l, d SKIP LOCKED
),
freed AS (
    UPDATE leases l SET worker_id = NULL FROM dead WHERE l.device_no = dead.no
),
judged AS (
    SELECT no, state, jid, is_blamed, crashes + is_blamed::int AS crashes,
           is_blamed AND crashes + 1 >= $2
               AND count(*) FILTER (WHERE is_blamed) OVER (PARTITION BY worker_id) = 1 AS is_quarantined
    FROM dead
),
verdict AS (
    SELECT *, is_quarantined OR state IN ('connecting', 'online') AS falls FROM judged
),
failed AS (
    UPDATE pairings p SET state = 'failed', reason = $4, qr = NULL, code = NULL, ended_at = now()
    FROM verdict v WHERE v.is_quarantined AND p.device_no = v.no AND p.state = 'waiting'
)
UPDATE devices d SET
    crashes = v.crashes,
    blamed_at = CASE WHEN v.is_blamed THEN now() ELSE d.blamed_at END,
    state = CASE WHEN NOT v.falls THEN d.state WHEN v.jid IS NULL THEN 'new' ELSE 'offline' END,
    state_reason = CASE WHEN v.is_quarantined THEN $4 WHEN v.falls THEN $3 ELSE d.state_reason END,
    state_at = CASE WHEN v.falls THEN now() ELSE d.state_at END,
    retry_at = CASE WHEN v.is_quarantined THEN 'infinity' WHEN v.falls THEN NULL ELSE d.retry_at END
FROM verdict v
WHERE d.no = v.no AND (v.is_blamed OR v.falls)
RETURNING d.tenant_id, d.no, d.network, v.is_quarantined

-- name: homeless
SELECT no, store FROM devices WHERE network = $1 AND home IS NULL AND store IS NOT NULL

-- name: take_home
UPDATE devices SET home = (SELECT home FROM workers WHERE id = $1) WHERE no = ANY ($2::int4[]) AND home IS NULL

-- name: acquire_leases
-- Takes devices of the network that need a session, or an end to what a dead worker left, or another reason ($6) than
-- the one they went offline for, and that nobody holds: up to this worker's fair share of all that need one. The
-- comparison of epochs makes it a compare-and-set: of two workers that saw the same free lease one gets it.
-- $3 says that this worker tries suspected devices, and it alone takes them while it lives: half of all at a time, those
-- blamed least first and shuffled anew with each blame, so that the innocent are soon out and the guilty soon alone. Who
-- only waits for its next try takes no place. $4 is how many workers are expected, for one that started before the others.
-- A line is for the workers of its home. Of one whose home no worker has for $8 seconds others end what is left, and say so
-- ($7), but connect it never: they have no session file.
WITH me AS (
    SELECT home FROM workers WHERE id = $1
),
others AS (
    SELECT count(*) FILTER (WHERE NOT is_trial) AS regular, count(*) FILTER (WHERE is_trial) AS trial
    FROM workers w, me WHERE network = $2 AND expires_at > now() AND w.home IS NOT DISTINCT FROM me.home
),
needed AS (
    SELECT d.no, d.tenant_id, d.crashes, d.home, coalesce(l.epoch, 0) AS epoch, l.worker_id AS holder,
           $3 AND coalesce(d.retry_at > now(), false) AS waits
    FROM devices d
    CROSS JOIN others o
    CROSS JOIN me
    CROSS JOIN LATERAL (SELECT d.store IS NULL OR d.home IS NOT DISTINCT FROM me.home AS is_here) h
    LEFT JOIN leases l ON l.device_no = d.no
    WHERE d.network = $2
      AND (h.is_here OR d.state_at < now() - make_interval(secs => $8)
               AND NOT EXISTS (SELECT FROM workers w
                               WHERE w.network = $2 AND w.home = d.home AND w.expires_at > now()))
      AND (d.desired_state = 'connected' AND d.jid IS NOT NULL AND d.state <> 'logged_out'
               AND d.retry_at IS DISTINCT FROM 'infinity'
               AND (h.is_here OR d.state = 'offline' AND d.state_reason IS DISTINCT FROM $7)
           OR d.desired_state = 'logged_out' AND d.jid IS NOT NULL AND d.state <> 'logged_out'
           OR d.desired_state = 'disconnected' AND d.state = 'offline' AND d.state_reason IS DISTINCT FROM $6
           OR d.state IN ('pairing', 'connecting', 'online')
           OR EXISTS (SELECT FROM pairings p WHERE p.device_no = d.no AND p.state = 'waiting')
           OR EXISTS (SELECT FROM outbox o WHERE o.device_no = d.no AND o.state = 'sending'))
      AND CASE WHEN $3 THEN d.crashes > 0
               ELSE d.crashes = 0 OR l.worker_id = $1
                    OR o.trial = 0 AND d.blamed_at < now() - make_interval(secs => $5) END
),
room AS (
    SELECT CASE WHEN $3 THEN ceil(count(*) FILTER (WHERE NOT waits) / 2.0)
                ELSE ceil(count(*)::float8 / greatest(1, $4, (SELECT regular FROM others))) END
           - count(*) FILTER (WHERE holder = $1 AND NOT waits) AS more,
           count(*) FILTER (WHERE holder IS NULL AND waits) AS waiting,
           min(crashes) FILTER (WHERE holder IS NULL AND NOT waits) AS crashes
    FROM needed
),
free AS (
    SELECT n.no, n.tenant_id, n.epoch
    FROM needed n JOIN devices d ON d.no = n.no AND d.home IS NOT DISTINCT FROM n.home  -- nobody has moved it since
    WHERE n.holder IS NULL AND (NOT $3 OR n.waits OR n.crashes = (SELECT crashes FROM room))
    ORDER BY n.waits DESC, CASE WHEN $3 THEN hashint8extended(n.no, n.crashes) END, n.no
    LIMIT (SELECT greatest(0, more)::int8 + waiting FROM room)
    FOR NO KEY UPDATE OF d SKIP LOCKED
)
INSERT INTO leases AS l (device_no, tenant_id, worker_id, epoch)
SELECT no, tenant_id, $1, epoch + 1 FROM free
ON CONFLICT (device_no) DO UPDATE SET worker_id = excluded.worker_id, epoch = excluded.epoch, since = now()
    WHERE l.epoch = excluded.epoch - 1
RETURNING device_no, tenant_id, epoch

-- name: wants_trial
-- Suspected devices wait at the home of worker $2, and nobody tries them.
WITH me AS (
    SELECT home FROM workers WHERE id = $2
)
SELECT EXISTS (
    SELECT FROM devices d CROSS JOIN me LEFT JOIN leases l ON l.device_no = d.no
    WHERE d.network = $1 AND d.crashes > 0 AND l.worker_id IS NULL
      AND (d.store IS NULL OR d.home IS NOT DISTINCT FROM me.home)
      AND (d.jid IS NOT NULL AND d.desired_state <> 'disconnected' AND d.state <> 'logged_out'
               AND d.retry_at IS DISTINCT FROM 'infinity'
           OR EXISTS (SELECT FROM pairings p WHERE p.device_no = d.no AND p.state = 'waiting'))
) AND NOT EXISTS (SELECT FROM workers w, me
                WHERE network = $1 AND is_trial AND expires_at > now() AND w.home IS NOT DISTINCT FROM me.home)

-- name: acquit
-- These were online long enough: no worker died of them.
UPDATE devices d SET crashes = 0, blamed_at = NULL
FROM leases l
WHERE d.no = ANY ($2::int4[]) AND l.device_no = d.no AND l.worker_id = $1 AND d.crashes > 0

-- name: surplus
-- Devices this worker hands over, a few at a time, because it holds a tenth more than the others and one of them a tenth
-- less: after a restart, or when a worker was added. Not those that are just being changed, or send.
WITH counts AS (
    SELECT w.id, count(l.device_no) AS n
    FROM workers w LEFT JOIN leases l ON l.worker_id = w.id
    WHERE w.network = $2 AND NOT w.is_trial AND w.expires_at > now()
      AND w.home IS NOT DISTINCT FROM (SELECT home FROM workers WHERE id = $1)
    GROUP BY w.id
),
fair AS (
    SELECT avg(n) AS n, min(n) AS least, max(n) FILTER (WHERE id = $1) AS mine FROM counts
)
SELECT l.device_no
FROM leases l JOIN devices d ON d.no = l.device_no, fair
WHERE l.worker_id = $1 AND fair.mine > fair.n * 1.1 + 1 AND fair.least < fair.n * 0.9
  AND d.state = 'online' AND d.desired_state = 'connected'
  AND NOT EXISTS (SELECT FROM pairings p WHERE p.device_no = d.no AND p.state = 'waiting')
  AND NOT EXISTS (SELECT FROM outbox o WHERE o.device_no = d.no AND o.state = 'sending')
ORDER BY d.no
LIMIT (SELECT greatest(0, least($3, floor(mine - n)))::int8 FROM fair)

-- name: release_leases
-- The epoch stays, so that whoever comes next gets a higher one.
UPDATE leases SET worker_id = NULL WHERE worker_id = $1 AND device_no = ANY ($2::int4[])

-- name: release_all_leases
UPDATE leases SET worker_id = NULL WHERE worker_id = $1

-- name: remove_worker
DELETE FROM workers WHERE id = $1
