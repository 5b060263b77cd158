-- name: worker
-- The process that holds the lines.
SELECT pid FROM workers WHERE network = 'loopback' AND expires_at > now() ORDER BY started_at DESC LIMIT 1

-- name: make_written
-- What contacts wrote: `place` counts the messages of a chat in the order they were written.
CREATE TEMP TABLE written (message_id text PRIMARY KEY, chat text, place int4, body text)

-- name: fates
-- A message for each that was written, with its row: none, one, or several.
SELECT count(*) FILTER (WHERE rows = 1 AND kind = 'text' AND is_true) AS stored,
       count(*) FILTER (WHERE rows = 1 AND kind = 'unsupported' AND text = 'Waiting for this message') AS waiting,
       count(*) FILTER (WHERE rows = 0) AS missing,
       count(*) FILTER (WHERE rows > 1) AS twice,
       count(*) FILTER (WHERE rows = 1 AND kind = 'text' AND NOT is_true) AS changed
FROM (SELECT w.message_id, count(m.message_id) AS rows, max(m.message_type) AS kind, max(m.message_text) AS text,
             bool_and(m.message_text = w.body) AS is_true
      FROM written w LEFT JOIN whatsapp_messages m USING (message_id) GROUP BY w.message_id) w

-- name: lost
-- Messages without a row of their own, with what is there instead.
SELECT w.message_id, w.chat, m.message_type IS NOT NULL AS is_waiting
FROM written w LEFT JOIN whatsapp_messages m USING (message_id)
WHERE m.message_text IS DISTINCT FROM w.body ORDER BY w.chat, w.place

-- name: disorder
-- Messages whose time is before that of one written earlier in their chat. A placeholder has the time it was made at.
SELECT count(*) FROM (
    SELECT m.timestamp, max(m.timestamp) OVER (PARTITION BY w.chat ORDER BY w.place) AS latest
    FROM written w JOIN whatsapp_messages m USING (message_id) WHERE m.message_type = 'text') t
WHERE timestamp < latest

-- name: miscounted
-- Chats whose unread count, number of rows or newest message is not what their rows say. Nobody has read anything.
SELECT count(*) FROM chats c
LEFT JOIN (SELECT chat_id, count(*) AS rows, count(*) FILTER (WHERE flags & 65 = 0) AS unread, max(key >> 32) AS latest
           FROM messages GROUP BY chat_id) m ON m.chat_id = c.id
WHERE (c.unread, c.stored, c.last_key >> 32) IS DISTINCT FROM (coalesce(m.unread, 0), coalesce(m.rows, 0), m.latest)

-- name: foreign
-- Rows of messages nobody wrote. That a line is in a group from now on nobody writes.
SELECT count(*) FROM whatsapp_messages m LEFT JOIN written w USING (message_id)
WHERE w.message_id IS NULL AND m.message_type <> 'system'
