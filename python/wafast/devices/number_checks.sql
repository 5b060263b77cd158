-- name: known_numbers
SELECT c.phone, c.jid
FROM devices d JOIN number_checks c ON c.tenant_id = d.tenant_id AND c.network = d.network
WHERE d.no = $1 AND c.phone = ANY ($2::text[]) AND c.checked_at > now() - make_interval(days => $3)

-- name: note_numbers
INSERT INTO number_checks (tenant_id, network, phone, jid)
SELECT d.tenant_id, d.network, n.phone, n.jid FROM devices d, unnest($2::text[], $3::text[]) AS n (phone, jid)
WHERE d.no = $1
ON CONFLICT (tenant_id, network, phone) DO UPDATE SET jid = excluded.jid, checked_at = excluded.checked_at

-- name: join_named_chats
-- Those of the numbers $2 that WhatsApp names otherwise ($3).
SELECT d.tenant_id, j.device_no, j.gone, j.kept
FROM devices d
CROSS JOIN unnest($2::text[], $3::text[]) AS n (phone, jid)
CROSS JOIN join_named_chats(d.tenant_id, d.network, substr(n.phone, 2) || '@s.whatsapp.net', n.jid) j
WHERE d.no = $1 AND n.jid <> substr(n.phone, 2) || '@s.whatsapp.net'

-- name: forget_absent
DELETE FROM number_checks WHERE tenant_id = $1 AND phone = ANY ($2::text[]) AND jid IS NULL
