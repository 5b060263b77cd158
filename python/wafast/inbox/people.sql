-- name: names_of
-- What people ($2, JIDs) are called in the chats $1: as their own chat on the same device is, else as the lead of their
-- number, else as they called themselves in one of the newest messages there.
WITH asked AS (
    SELECT DISTINCT c.id AS chat_id, c.tenant_id, c.device_no, t.jid
    FROM unnest($1::int8[], $2::text[]) AS t (chat_id, jid) JOIN chats c ON c.id = t.chat_id
), said AS (
    SELECT DISTINCT ON (chat_id, sender) chat_id, jid_of(sender) AS jid, sender_name
    FROM (SELECT DISTINCT chat_id FROM asked) a
    CROSS JOIN LATERAL (
        SELECT m.sender, m.sender_name, m.key FROM messages m
        WHERE m.chat_id = a.chat_id ORDER BY m.key DESC LIMIT 500
    ) newest
    WHERE sender_name <> ''
    ORDER BY chat_id, sender, key DESC
)
SELECT a.chat_id, a.jid, coalesce(nullif(p.called, ''), nullif(l.name, ''), s.sender_name) AS name
FROM asked a
LEFT JOIN chats_named p ON p.device_no = a.device_no AND p.jid = a.jid
LEFT JOIN leads l ON l.tenant_id = a.tenant_id AND l.phone = '+' || split_part(a.jid, '@s.whatsapp.net', 1)
     AND (l.device_no IS NULL OR l.device_no = a.device_no)
LEFT JOIN said s ON s.chat_id = a.chat_id AND s.jid = a.jid
