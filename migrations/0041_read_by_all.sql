-- A message of ours in a group is read when every member but us has read it: those of the messages $1, $2 (chats, keys), and
-- what shows them. As far as the members are known (group_members); of whom has left nothing is wanted. Nobody counts
-- members while fewer have read than there are. What somebody else writes is left: it is counted with the next receipt.
CREATE FUNCTION mark_read_by_all(chats int8[], keys int8[])
RETURNS TABLE (chat_id int8, key int8, tenant_id int4, device_no int4, is_last bool, outbox_id int8) LANGUAGE sql AS $$
    WITH ours AS (
        SELECT m.chat_id, m.key
        FROM unnest($1, $2) t (chat_id, key)
        JOIN messages m ON m.chat_id = t.chat_id AND m.key = t.key AND m.flags & 1 <> 0
        JOIN group_members g ON g.chat_id = m.chat_id
        JOIN devices d ON d.no = m.device_no
        WHERE message_status(m.status) IN ('pending', 'sent', 'delivered') AND jsonb_array_length(g.members) > 1
          AND jsonb_array_length(g.members) - 1 <= (
              SELECT count(*) FROM receipts r WHERE r.chat_id = m.chat_id AND r.key = m.key
                                                AND coalesce(r.read_at, r.played_at) IS NOT NULL)
          AND NOT EXISTS (
              SELECT n.jid
              FROM jsonb_to_recordset(g.members) p (jid text) CROSS JOIN LATERAL jid_now(m.device_no, p.jid) n
              WHERE n.jid IS DISTINCT FROM d.jid AND n.jid IS DISTINCT FROM d.lid
              EXCEPT
              SELECT jid_of(coalesce(l.number << 3, r.person))
              FROM receipts r
              LEFT JOIN lid_numbers l ON l.device_no = m.device_no AND r.person & 7 = 1 AND l.lid = r.person >> 3
              WHERE r.chat_id = m.chat_id AND r.key = m.key AND coalesce(r.read_at, r.played_at) IS NOT NULL)
        FOR NO KEY UPDATE OF m SKIP LOCKED
    ), read AS (
        UPDATE messages m SET status = 4 FROM ours o WHERE m.chat_id = o.chat_id AND m.key = o.key
        RETURNING m.chat_id, m.key, m.tenant_id, m.device_no, m.message_id
    ), shown AS (
        UPDATE chats c SET last_status = 4 FROM read r WHERE c.id = r.chat_id AND c.last_key = r.key RETURNING c.id
    ), told AS (
        UPDATE outbox o SET state = 'read', delivered_at = coalesce(o.delivered_at, l.at), read_at = coalesce(o.read_at, l.at)
        FROM read r
        CROSS JOIN LATERAL (SELECT max(coalesce(p.read_at, p.played_at)) AS at FROM receipts p
                            WHERE p.chat_id = r.chat_id AND p.key = r.key) l
        WHERE o.device_no = r.device_no AND o.message_id = r.message_id AND o.state IN ('sent', 'delivered')
        RETURNING r.chat_id, r.key, o.id
    )
    SELECT r.chat_id, r.key, r.tenant_id, r.device_no, s.id IS NOT NULL, t.id
    FROM read r
    LEFT JOIN shown s ON s.id = r.chat_id
    LEFT JOIN told t ON t.chat_id = r.chat_id AND t.key = r.key
$$;
