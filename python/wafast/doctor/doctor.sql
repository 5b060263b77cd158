-- name: doctor_server
SELECT current_setting('server_version') AS version, now() AS now,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS room,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'wafast %'
          AND application_name NOT IN ('wafast doctor', 'wafast command')) AS ours,
       (SELECT max(age(datfrozenxid)) FROM pg_database) AS transactions_old,
       current_setting('autovacuum_freeze_max_age')::int8 AS freeze_at,
       pg_database_size(current_database()) AS size,
       (SELECT jsonb_object_agg(name, setting) FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes', 'autovacuum', 'track_counts')) AS settings,
       CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END AS folder,
       inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr() AS is_here

-- name: doctor_devices
-- What is to be online and what is, by network.
SELECT network, count(*) FILTER (WHERE jid IS NOT NULL AND desired_state = 'connected'
                                   AND retry_at IS DISTINCT FROM 'infinity') AS wanted,
       count(*) FILTER (WHERE state = 'online') AS online
FROM devices GROUP BY network

-- name: doctor_workers
-- `late` is how long its last heartbeat is overdue: below 0 it lives.
SELECT w.id, w.network, w.node, w.home, w.pid, extract(epoch FROM now() - CASE WHEN w.expires_at = '-infinity' THEN w.beat_at ELSE w.expires_at END)::float8 AS late,
       (w.figures ->> 'rss_bytes')::int8 AS rss_bytes,
       (SELECT count(*) FROM leases l WHERE l.worker_id = w.id) AS held
FROM workers w WHERE w.beat_at > now() - interval '1 hour'
ORDER BY w.started_at, w.id

-- name: doctor_unheld
-- Devices that are to be online, are not tried apart and have no live holder: a worker takes them within seconds, if it has
-- their session files.
SELECT d.name, d.network, d.home
FROM devices d
LEFT JOIN leases l ON l.device_no = d.no
LEFT JOIN workers w ON w.id = l.worker_id AND w.expires_at > now()
WHERE w.id IS NULL AND d.jid IS NOT NULL AND d.desired_state = 'connected' AND d.state <> 'logged_out'
  AND d.retry_at IS DISTINCT FROM 'infinity' AND d.crashes = 0
ORDER BY d.no

-- name: doctor_stuck
SELECT name, extract(epoch FROM now() - state_at)::float8 AS seconds, state_reason AS reason
FROM devices
WHERE state = 'connecting' AND state_at < now() - make_interval(secs => $1)
ORDER BY state_at

-- name: doctor_suspected
-- Devices that came online when their worker died, and are tried apart from the others.
SELECT name, crashes FROM devices
WHERE crashes > 0 AND desired_state = 'connected' AND retry_at IS DISTINCT FROM 'infinity'
ORDER BY crashes DESC, no

-- name: doctor_given_up
-- Devices that are to be online, but are left alone until a person acts: banned, replaced, logged out, in quarantine.
SELECT name, state, state_reason AS reason
FROM devices
WHERE desired_state = 'connected' AND jid IS NOT NULL AND (state = 'logged_out' OR retry_at = 'infinity')
ORDER BY state_at DESC

-- name: doctor_session_files
-- The session files of devices that are to be online.
SELECT name, network, store, home, state = 'online' AS is_online FROM devices
WHERE desired_state = 'connected' AND store IS NOT NULL AND state <> 'logged_out'
ORDER BY no
