-- name: sends_of_lead
-- What was or is to be sent to a lead. $1 the tenant, $2 the lead, $3 only those before this id, $4 how many.
SELECT o.id, o.kind, o.body, o.state, o.cause, o.reason, o.not_before, o.sent_at, o.delivered_at, o.read_at, o.replied_at,
       d.id AS device_id, c.id AS campaign_id, s.id AS sequence_id, t.place AS step, coalesce(c.name, s.name) AS source_name
FROM outbox o
LEFT JOIN devices d ON d.no = o.device_no
LEFT JOIN campaigns c ON c.source_id = o.source_id
LEFT JOIN sequence_steps t ON t.source_id = o.source_id
LEFT JOIN sequences s ON s.id = t.sequence_id
WHERE o.tenant_id = $1 AND o.lead_id = $2 AND o.id < $3
ORDER BY o.id DESC
LIMIT $4
