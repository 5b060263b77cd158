-- name: standings
-- $1 tenant, $2 public ids (NULL: all). What waits is counted up to an hour's worth.
SELECT d.no, d.id AS device_id, d.name, d.network, d.state, day_cap(d.per_day, d.ramp, d.paired_at, now()) AS cap,
       d.per_hour,
       sends_within(d.day_sends, d.day_slot, slot_of(now(), 3600), 25) AS sent,
       (SELECT count(*)::int4 FROM (
            SELECT FROM lanes l
            JOIN LATERAL (SELECT FROM outbox o WHERE o.lane_id = l.id AND o.state = 'queued'
                          AND o.not_before < now() + interval '1 day' LIMIT d.per_hour) o ON true
            WHERE l.device_no = d.no AND l.is_live LIMIT d.per_hour) w) AS waiting,
       (SELECT count(*)::int4 FROM (SELECT c.state, c.at FROM device_changes c WHERE c.device_no = d.no
                                    ORDER BY c.id DESC LIMIT 40) c
        WHERE c.state = 'offline' AND c.at > now() - interval '1 day') AS lost,
       coalesce((SELECT p.n::int4 FROM leads_of_devices p WHERE p.device_no = d.no), 0) AS people,
       extract(epoch FROM now() - coalesce(d.paired_at, d.created_at))::float8 / 86400 AS days,
       coalesce(d.paused_until > now() - interval '7 days', false) AS was_paused,
       CASE WHEN d.paused_until > now() THEN d.paused_until END AS paused_until, d.desired_state, d.failures
FROM devices d
WHERE d.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND d.jid IS NOT NULL

-- name: fold_lead_counts
-- The next $1 rows of what was added and taken, also those of devices that are gone.
WITH gone AS (
    DELETE FROM lead_counts WHERE ctid = ANY (ARRAY(SELECT ctid FROM lead_counts LIMIT $1))
    RETURNING device_no, n
),
summed AS (
    INSERT INTO lead_sums (device_no, tenant_id, n)
    SELECT d.no, d.tenant_id, sum(n) FROM gone JOIN devices d ON d.no = device_no GROUP BY d.no, d.tenant_id HAVING sum(n) <> 0
    ON CONFLICT (device_no) DO UPDATE SET n = lead_sums.n + excluded.n
)
SELECT count(*) FROM gone
