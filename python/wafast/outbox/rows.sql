-- name: device_for_send
-- Locked against deletion only: many sends may be put in at once.
SELECT d.no, d.network, d.jid, t.time_zone FROM devices d JOIN tenants t ON t.id = d.tenant_id
WHERE d.tenant_id = $1 AND d.id = $2 FOR KEY SHARE OF d

-- name: ensure_lane
-- For paced sends that are no source's.
INSERT INTO lanes (tenant_id, device_no, zone, is_live) VALUES ($1, $2, $3, true) ON CONFLICT DO NOTHING

-- name: lane_without_source
SELECT id FROM lanes WHERE source_id IS NULL AND device_no = $1 AND zone = $2

-- name: hold_file
-- Until the end of the transaction nobody throws the file away (inbox/media_store.sql has the other side of this lock).
SELECT pg_advisory_xact_lock_shared(hashtextextended(encode($1, 'hex'), 0))

-- name: has_media
SELECT EXISTS (SELECT FROM media WHERE tenant_id = $1 AND sha256 = $2)

-- name: enqueue
INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, media_sha256, file_name, quoted, target, forwarded,
                    priority, not_before, expires_at, created_by, lane_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now()), $13, $14, $15)
RETURNING id

-- name: get_outbox
SELECT o.*, d.id AS device_id, c.id AS chat_id, m.mime AS media_mime
FROM outbox o
LEFT JOIN devices d ON d.no = o.device_no
LEFT JOIN chats c ON c.device_no = o.device_no AND c.jid = o.to_jid
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE o.tenant_id = $1 AND o.id = $2

-- name: get_outbox_many
SELECT o.*, d.id AS device_id, c.id AS chat_id, m.mime AS media_mime
FROM outbox o
JOIN devices d ON d.no = o.device_no
LEFT JOIN chats c ON c.device_no = o.device_no AND c.jid = o.to_jid
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE o.id = ANY ($1::int8[])

-- name: list_outbox
SELECT o.*, d.id AS device_id, c.id AS chat_id, m.mime AS media_mime
FROM devices d
JOIN outbox o ON o.device_no = d.no
LEFT JOIN chats c ON c.device_no = o.device_no AND c.jid = o.to_jid
LEFT JOIN media m ON m.tenant_id = o.tenant_id AND m.sha256 = o.media_sha256
WHERE d.tenant_id = $1 AND d.id = $2 AND ($3::text[] IS NULL OR o.state = ANY ($3)) AND ($5::int8 IS NULL OR o.id < $5)
ORDER BY o.id DESC
LIMIT $4

-- name: cancel_outbox
UPDATE outbox o SET state = 'cancelled', cause = 'by_person'
WHERE o.tenant_id = $1 AND o.id = $2 AND o.state = 'queued'
RETURNING o.device_no, (SELECT network FROM devices d WHERE d.no = o.device_no) AS network

-- name: retry_outbox
-- A change of a message keeps its end: WhatsApp takes it only so long. A source's row whose device is gone waits in the pool.
UPDATE outbox o SET state = 'queued', reason = NULL, cause = NULL, not_before = now(),
    lane_id = CASE WHEN o.device_no IS NOT NULL THEN o.lane_id ELSE (
        SELECT p.id FROM lanes p LEFT JOIN leads l ON l.id = o.lead_id
        WHERE p.source_id = o.source_id AND p.device_no IS NULL ORDER BY p.zone = l.zone DESC NULLS LAST LIMIT 1) END,
    expires_at = CASE WHEN o.target IS NOT NULL THEN o.expires_at END,
    claim_worker = NULL, claim_epoch = NULL, claimed_at = NULL
WHERE o.tenant_id = $1 AND o.id = $2 AND o.state IN ('failed', 'expired', 'cancelled', 'unknown')
RETURNING o.device_no, (SELECT network FROM devices d WHERE d.no = o.device_no) AS network
