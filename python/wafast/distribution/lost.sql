-- Whom distribution gave to a device that is over (lost.py). Whoever a person gave to it, or let it take over, stays.

-- name: lost_devices
-- Those ($1, NULL: of all) that are over and still have somebody. Each is looked at by itself, by the index of its people.
SELECT d.no, d.tenant_id, d.name, d.state, d.state_reason FROM devices d
CROSS JOIN LATERAL (SELECT FROM leads l JOIN distribution_decisions x ON x.lead_id = l.id AND x.device_no = l.device_no
                    WHERE l.device_no = d.no AND x.code IN ('chat', 'wrote', 'room') LIMIT 1) given
WHERE ($1::int4[] IS NULL OR d.no = ANY ($1)) AND is_over(d)

-- name: leave_device
-- The next $2 people of device $1, for the reason $3. Who is held by somebody else, an import say, is not waited for.
WITH next AS (
    SELECT l.id, l.tenant_id FROM devices d JOIN leads l ON l.device_no = d.no
    WHERE d.no = $1 AND is_over(d)
      AND EXISTS (SELECT FROM distribution_decisions x
                  WHERE x.lead_id = l.id AND x.device_no = d.no AND x.code IN ('chat', 'wrote', 'room'))
    LIMIT $2 FOR NO KEY UPDATE OF l SKIP LOCKED
), back AS (
    UPDATE leads l SET device_no = NULL, updated_at = now() FROM next n WHERE l.id = n.id
), noted AS (
    INSERT INTO distribution_decisions (tenant_id, lead_id, code, reason) SELECT tenant_id, id, 'returned', $3 FROM next
)
SELECT count(*) FROM next
