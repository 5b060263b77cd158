-- name: figures
-- Devices are few; of the outbox only rows of two small partial indexes are counted.
SELECT 'wafast_devices' AS name, network, state, count(*) AS count FROM devices GROUP BY network, state
UNION ALL
SELECT 'wafast_outbox_open', d.network, o.state, count(*)
FROM outbox o JOIN devices d ON d.no = o.device_no
WHERE o.state = 'queued' OR o.state IN ('sending', 'unknown')
GROUP BY d.network, o.state
UNION ALL
SELECT 'wafast_workers', network, 'alive', count(*) FROM workers WHERE expires_at > now() GROUP BY network

-- name: worker_figures
SELECT id, network, figures, expires_at > now() AS is_alive, (SELECT count(*) FROM leases l WHERE l.worker_id = w.id) AS held
FROM workers w
WHERE beat_at > now() - interval '5 minutes' ORDER BY started_at, id
