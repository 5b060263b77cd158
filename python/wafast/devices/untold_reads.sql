-- What was read here and is told to phones (untold_reads.py).

-- name: devices_to_tell
SELECT DISTINCT device_no FROM untold_reads WHERE device_no = ANY ($1::int4[]);

-- name: untold_reads
SELECT t.chat_id, t.device_no, t.from_key, t.unread, c.jid
FROM untold_reads t JOIN chats c ON c.id = t.chat_id
WHERE t.device_no = $1
ORDER BY t.chat_id;

-- name: read_messages
-- Newest first, at most $3: what read receipts name. $2 the last message read before; others of its second may have come
-- after it, whatever their keys. Of another line's (128) WhatsApp knows nothing here, calls and changes of a group are no
-- messages to it, and what could not be read (32) is nowhere read.
SELECT m.message_id, jid_of(m.sender) AS sender_jid
FROM messages m JOIN chats c ON c.id = m.chat_id
WHERE m.chat_id = $1 AND m.key >= ($2::int8 >> 32 << 32) AND m.key < ((c.read_key >> 32) + 1) << 32
  AND m.flags & 161 = 0 AND message_kind(m.kind) NOT IN ('call', 'system')
ORDER BY m.key >> 32 DESC, m.created_at DESC, m.key DESC
LIMIT $3;

-- name: forget_told
-- Unless more was read meanwhile.
DELETE FROM untold_reads WHERE chat_id = $1 AND unread = $2;
