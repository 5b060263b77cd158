-- name: figures
-- Devices are few. Of the outbox only what is few is counted: what is being sent or in doubt, and what waits of no source;
-- what waits of sources is summed up as it comes and goes.
WITH waiting AS (
    SELECT b.device_no, b.n FROM sources s
    CROSS JOIN LATERAL (SELECT device_no, sum(n)::int8 AS n FROM source_buckets
                        WHERE source_id = s.id AND bucket = 'waiting' AND device_no IS NOT NULL GROUP BY device_no) b
    WHERE s.state <> 'ended'
    UNION ALL
    SELECT device_no, -1 FROM outbox WHERE state = 'sending' AND source_id IS NOT NULL
    UNION ALL
    SELECT device_no, 1 FROM outbox WHERE state = 'queued' AND priority = 'reply'
    UNION ALL
    SELECT o.device_no, 1 FROM lanes l JOIN outbox o ON o.lane_id = l.id AND o.state = 'queued' WHERE l.source_id IS NULL
)
SELECT 'wafast_devices' AS name, network, state, count(*) AS count FROM devices GROUP BY network, state
UNION ALL
SELECT 'wafast_outbox_open', d.network, o.state, count(*)
FROM outbox o JOIN devices d ON d.no = o.device_no
WHERE o.state IN ('sending', 'unknown')
GROUP BY d.network, o.state
UNION ALL
SELECT 'wafast_outbox_open', d.network, 'queued', sum(w.n)::int8 FROM waiting w JOIN devices d ON d.no = w.device_no
GROUP BY d.network
UNION ALL
SELECT 'wafast_workers', network, 'alive', count(*) FROM workers WHERE expires_at > now() GROUP BY network

-- name: worker_figures
SELECT id, network, figures, expires_at > now() AS is_alive, (SELECT count(*) FROM leases l WHERE l.worker_id = w.id) AS held
FROM workers w
WHERE beat_at > now() - interval '5 minutes' ORDER BY started_at, id
