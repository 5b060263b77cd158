-- Leads out of a device's chats. $1 the tenant.

-- name: chats_for_leads
-- Persons, not groups: $2 the device, $3 only chats behind this id, $4 how many.
SELECT c.id, '+' || split_part(c.jid, '@', 1) AS phone, coalesce(c.name, '') AS name
FROM chats c
WHERE c.tenant_id = $1 AND c.device_no = $2 AND c.id > $3 AND c.last_key IS NOT NULL
  AND c.jid ~ '^[1-9][0-9]{6,14}@s\.whatsapp\.net$'
ORDER BY c.id LIMIT $4;

-- name: add_from_chats
INSERT INTO leads (tenant_id, phone, name, device_no, zone)
SELECT $1, phone, name, $2, zone FROM unnest($3::text[], $4::text[], $5::text[]) AS c (phone, name, zone)
WHERE NOT EXISTS (SELECT FROM lead_of_person($1, c.phone))
ON CONFLICT (tenant_id, phone) DO NOTHING RETURNING id;
