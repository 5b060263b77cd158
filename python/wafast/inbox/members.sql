-- name: members_of
-- $1 tenant, $2 devices within reach (NULL: all of the tenant's), $3 a group, $4 after so many seconds the list is old. It
-- is, too, once a message has come that says what happened to the group; one that is an hour late finds it old by then.
SELECT g.told_at,
       g.told_at < now() - $4::float8 * interval '1 second' OR EXISTS (
           SELECT FROM messages m
           WHERE m.chat_id = g.chat_id AND m.key >= extract(epoch FROM g.told_at - interval '1 hour')::int8 << 32
             AND message_kind(m.kind) = 'system' AND m.created_at >= g.told_at) AS is_old,
       ARRAY(SELECT ROW (n.jid, m.is_admin, n.jid IN (d.jid, d.lid))
             FROM jsonb_to_recordset(g.members) AS m (jid text, is_admin bool)
             CROSS JOIN LATERAL jid_now(c.device_no, m.jid) n) AS members
FROM group_members g
JOIN chats c ON c.id = g.chat_id
JOIN devices d ON d.no = c.device_no
WHERE c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND c.id = $3
