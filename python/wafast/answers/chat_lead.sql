-- Who writes in a chat, as a lead. $1 is the tenant, $2 the chat.

-- name: person_of_chat
-- The number of a chat with one person, by its LID where that is known; and the lead who has it, or another number that
-- WhatsApp names so, or that a lead with it became part of.
SELECT p.phone, l.id AS lead_id, s.reason, s.created_by, s.created_at
FROM chats c
CROSS JOIN LATERAL jid_now(c.device_no, c.jid) person
LEFT JOIN LATERAL phones_of(c.tenant_id, person.jid) p ON true
LEFT JOIN former_leads f ON f.tenant_id = c.tenant_id AND f.phone = p.phone
LEFT JOIN leads own ON own.tenant_id = c.tenant_id AND own.phone = p.phone
LEFT JOIN leads l ON l.id = coalesce(own.id, f.lead_id)
LEFT JOIN suppressions s ON s.tenant_id = c.tenant_id AND s.phone = p.phone
WHERE c.tenant_id = $1 AND c.id = $2 AND NOT c.is_group
ORDER BY l.id IS NULL, own.id IS NULL, person.jid <> substr(p.phone, 2) || '@s.whatsapp.net' LIMIT 1

-- name: sequences_of_lead
-- $2 the lead, $3 how many; the last first.
SELECT e.id, e.sequence_id, s.name, e.state, e.reason, e.started_at,
       (SELECT count(*) FROM sequence_steps b
        WHERE b.sequence_id = e.sequence_id AND b.deleted_at IS NULL AND b.place <= p.place) AS position,
       CASE WHEN e.state = 'active' AND o.state = 'queued' THEN o.not_before END AS due_at
FROM enrolments e
JOIN sequences s ON s.id = e.sequence_id
LEFT JOIN sequence_steps p ON p.id = e.step_id
LEFT JOIN outbox o ON o.id = e.outbox_id
WHERE e.tenant_id = $1 AND e.lead_id = $2
ORDER BY e.id DESC LIMIT $3

-- name: campaigns_of_lead
SELECT c.id AS campaign_id, c.name, outbox_bucket(o.state, o.cause, o.replied_at) AS bucket, o.reason, o.sent_at
FROM outbox o JOIN campaigns c ON c.source_id = o.source_id
WHERE o.tenant_id = $1 AND o.lead_id = $2 AND o.enrolment_id IS NULL AND c.deleted_at IS NULL
ORDER BY o.id DESC LIMIT $3
