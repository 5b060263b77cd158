-- name: device_detail
-- What `wafast device show` says beyond the device's own row.
SELECT d.lid, d.wa_device, d.store, d.home,
       (SELECT min(node) FROM workers WHERE network = d.network AND home = d.home AND expires_at > now()) AS home_served_by, d.failures, d.crashes,
       CASE WHEN d.retry_at = 'infinity' THEN 'when a person acts' WHEN d.retry_at > now() THEN d.retry_at::text END
           AS next_try,
       l.epoch, l.since AS held_since, l.worker_id, w.node, w.pid, w.expires_at > now() AS worker_lives,
       c.chats, c.stored_messages, o.outbox, p.pairing, a.asked
FROM devices d
LEFT JOIN leases l ON l.device_no = d.no
LEFT JOIN workers w ON w.id = l.worker_id
CROSS JOIN LATERAL (SELECT count(*) AS chats, coalesce(sum(stored), 0)::int8 AS stored_messages
                    FROM chats WHERE device_no = d.no) c
CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(state, count), '{}') AS outbox
                    FROM (SELECT state, count(*) FROM outbox
                          WHERE device_no = d.no AND state = 'queued'
                             OR device_no = d.no AND state IN ('sending', 'unknown')
                          GROUP BY state)) o
LEFT JOIN LATERAL (SELECT jsonb_build_object('id', id, 'method', method, 'state', state, 'reason', reason,
                                             'created_at', created_at) AS pairing
                   FROM pairings WHERE device_no = d.no ORDER BY created_at DESC LIMIT 1) p ON true
CROSS JOIN LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object('at', at, 'actor', actor, 'action', action)
                                              ORDER BY id DESC), '[]') AS asked
                    FROM (SELECT id, at, actor, action FROM audit_log
                          WHERE tenant_id = d.tenant_id AND subject = 'device:' || d.id
                          ORDER BY id DESC LIMIT 5)) a
WHERE d.no = $1

-- name: now
SELECT now()

-- name: states_of
SELECT no, state, state_reason, state_at FROM devices WHERE no = ANY ($1::int4[])

-- name: networks_served
SELECT DISTINCT network FROM workers WHERE expires_at > now()
