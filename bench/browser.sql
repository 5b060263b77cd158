-- A line with many chats, as if it had been used for weeks. Nothing here is connected.

-- name: add_device
INSERT INTO devices (tenant_id, name, network, phone, jid, paired_at)
SELECT min(id), 'Bench', 'loopback', '+60190000000', '60190000000@s.whatsapp.net', now() FROM tenants
RETURNING no, id, tenant_id;

-- name: add_chats
-- $1 tenant, $2 device, $3 how many, $4 Unix seconds of the newest message.
INSERT INTO chats (tenant_id, device_no, jid, name, last_key, last_kind, last_flags, last_text, last_status, unread, stored)
SELECT $1, $2, (60100000000 + n) || '@s.whatsapp.net', 'Customer ' || n, ($4::int8 - n * 200) << 32 | 19, 0, 0,
       'The last thing customer ' || n || ' wrote, which is as long as such a thing is', 0, n % 7 / 5, 20
FROM generate_series(1, $3::int) n;

-- name: add_messages
-- Twenty a chat, a minute apart, every third ours.
INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, body)
SELECT c.id, ((c.last_key >> 32) - (19 - k) * 60) << 32 | crc32(('B' || c.id || '-' || k)::bytea), now(), 0, c.device_no, c.tenant_id, 0, (k % 3 = 0)::int,
       CASE WHEN k % 3 = 0 THEN 4 ELSE 0 END, 'B' || c.id || '-' || k,
       'Message ' || k || ': ' || repeat('a few words more ', k % 5)
           || CASE WHEN k = 7 AND c.id % 5 = 0 THEN 'https://example.com/' || c.id ELSE '' END
FROM chats c, generate_series(0, 19) k
WHERE c.device_no = $1;
