-- name: whose_words
-- Of answers in the chats $1, in their order: who wrote what is answered ($2, as it was named), by the number where that is
-- known; whether that is the device itself; and where it was ($3), if that is another chat.
SELECT t.chat_id, p.jid, coalesce(p.jid = d.jid OR t.sender = d.lid, false) AS is_own,
       nullif(t.elsewhere, c.jid) AS elsewhere, e.called AS chat_name
FROM unnest($1::int8[], $2::text[], $3::text[]) WITH ORDINALITY t (chat_id, sender, elsewhere, place)
LEFT JOIN chats c ON c.id = t.chat_id
LEFT JOIN devices d ON d.no = c.device_no
CROSS JOIN LATERAL jid_now(d.no, t.sender) p
LEFT JOIN chats_named e ON e.device_no = d.no AND e.jid = nullif(t.elsewhere, c.jid)
ORDER BY t.place
