-- name: people_meant
-- Whom digits ($2) may mean in the chats $1, of which those that are groups count: the device itself, the number behind
-- that LID, or else whoever has that number or that LID.
SELECT t.chat_id, t.digits,
       CASE WHEN d.jid = t.digits || '@s.whatsapp.net' OR d.lid = t.digits || '@lid' THEN d.jid END AS own_jid,
       l.number IS NOT NULL AS is_lid,
       CASE WHEN l.number IS NOT NULL THEN ARRAY[l.number || '@s.whatsapp.net']
            ELSE ARRAY[t.digits || '@s.whatsapp.net', t.digits || '@lid'] END AS jids
FROM unnest($1::int8[], $2::text[]) t (chat_id, digits)
JOIN chats c ON c.id = t.chat_id AND c.is_group
JOIN devices d ON d.no = c.device_no
LEFT JOIN lid_numbers l ON l.device_no = c.device_no AND l.lid = t.digits::int8;
