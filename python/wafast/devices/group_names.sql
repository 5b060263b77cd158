-- name: nameless
SELECT c.device_no, c.jid
FROM chats c
JOIN unnest($1::int4[], $2::text[]) AS t (device_no, jid) ON t.device_no = c.device_no AND t.jid = c.jid
WHERE c.is_group AND c.name IS NULL
