-- name: read_devices
-- All that a worker holds, in one query; $2 narrows it to those that were named in a notification (NULL: all). No backoff is
-- longer than $3 seconds: who has to wait longer began before the clock was set back. A ban ends when it ends.
SELECT d.no, d.id, d.tenant_id, d.desired_state, d.state, d.state_reason, d.failures, d.crashes, d.jid, d.push_name, d.store, d.proxy,
       d.store IS NULL OR d.home IS NOT DISTINCT FROM w.home AS is_here,
       d.retry_at IS NULL OR d.retry_at <= now()
           OR d.state = 'offline' AND d.retry_at > now() + make_interval(secs => $3) AS is_due,
       d.retry_at = 'infinity' IS TRUE AS waits_for_person,
       l.epoch, p.id AS pairing_id, p.phone AS pairing_phone, p.expires_at <= now() AS pairing_expired
FROM leases l
JOIN devices d ON d.no = l.device_no
JOIN workers w ON w.id = l.worker_id
LEFT JOIN pairings p ON p.device_no = d.no AND p.state = 'waiting'
WHERE l.worker_id = $1 AND ($2::int4[] IS NULL OR d.no = ANY ($2))

-- name: which_exist
SELECT no FROM devices WHERE no = ANY ($1::int4[])
