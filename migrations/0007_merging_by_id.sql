-- Two chats of one person become one. A message that both have is one, whatever its time was in each: the copy stays that
-- was read, deleted or edited last. What is unread is what came after the later of the two read positions.
CREATE OR REPLACE FUNCTION merge_chats(from_id int8, into_id int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    up_to int8;
    up_to_at timestamptz;
BEGIN
    PERFORM FROM chats WHERE id IN (from_id, into_id) ORDER BY id FOR UPDATE;
    SELECT c.read_key, coalesce(r.created_at, 'infinity') INTO up_to, up_to_at
    FROM chats c LEFT JOIN messages r ON r.chat_id = c.id AND r.key = c.read_key
    WHERE c.id IN (from_id, into_id) AND c.read_key IS NOT NULL
    ORDER BY c.read_key >> 32 DESC, 2 DESC LIMIT 1;
    -- Of what was unread, what is gone; no less than is left, as a history has rows that were never counted.
    WITH read AS (
        SELECT c.id, c.read_key, coalesce(r.created_at, 'infinity') AS at
        FROM chats c LEFT JOIN messages r ON r.chat_id = c.id AND r.key = c.read_key WHERE c.id IN (from_id, into_id)
    ), gone AS (
        DELETE FROM messages w USING messages m
        WHERE w.chat_id IN (from_id, into_id) AND m.chat_id IN (from_id, into_id) AND m.chat_id <> w.chat_id
          AND m.message_id = w.message_id
          AND (m.flags & 32 = 0, m.deleted_at IS NOT NULL, coalesce(m.edited_at, '-infinity'), m.chat_id = into_id)
            > (w.flags & 32 = 0, w.deleted_at IS NOT NULL, coalesce(w.edited_at, '-infinity'), w.chat_id = into_id)
        RETURNING w.chat_id, w.key
    ), pictures AS (
        DELETE FROM thumbnails p USING gone g WHERE p.chat_id = g.chat_id AND p.key = g.key
    ), fetches AS (
        DELETE FROM media_fetches f USING gone g WHERE f.chat_id = g.chat_id AND f.key = g.key
    )
    UPDATE chats c SET unread = greatest(c.unread - n.gone, least(c.unread, n.there - n.gone))
    FROM (SELECT r.id, count(g.key)::int4 AS gone, count(*)::int4 AS there
          FROM read r
          JOIN messages m ON m.chat_id = r.id AND m.flags & 1 = 0
               AND (r.read_key IS NULL OR (m.key >> 32, m.created_at) > (r.read_key >> 32, r.at))
          LEFT JOIN gone g ON g.chat_id = m.chat_id AND g.key = m.key
          GROUP BY r.id) n
    WHERE c.id = n.id AND n.gone > 0;
    UPDATE chats c SET unread = least(c.unread, (
        SELECT count(*)::int4 FROM messages m
        WHERE m.chat_id = c.id AND m.flags & 1 = 0 AND (m.key >> 32, m.created_at) > (up_to >> 32, up_to_at)))
    WHERE c.id IN (from_id, into_id) AND c.unread > 0 AND up_to IS NOT NULL AND c.read_key IS DISTINCT FROM up_to;
    INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id,
                          sender_name, body, media, quoted, reactions, poll_votes, edited_at, deleted_at, poll)
    SELECT into_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id,
           sender_name, body, media, quoted, reactions, poll_votes, edited_at, deleted_at, poll
    FROM messages WHERE chat_id = from_id
    ON CONFLICT DO NOTHING;
    INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg)
    SELECT into_id, key, tenant_id, jpeg FROM thumbnails WHERE chat_id = from_id
    ON CONFLICT DO NOTHING;
    INSERT INTO media_fetches (chat_id, key, tenant_id, device_no, state, reason, attempts, retry_at)
    SELECT into_id, key, tenant_id, device_no, state, reason, attempts, retry_at FROM media_fetches WHERE chat_id = from_id
    ON CONFLICT DO NOTHING;
    DELETE FROM messages WHERE chat_id = from_id;
    DELETE FROM thumbnails WHERE chat_id = from_id;
    DELETE FROM media_fetches WHERE chat_id = from_id;
    UPDATE pending_changes SET chat_id = into_id WHERE chat_id = from_id;
    UPDATE chats c SET
        name = coalesce(c.name, f.name),
        unread = c.unread + f.unread,
        read_key = up_to,
        floor_key = greatest(c.floor_key, f.floor_key),
        pinned_at = coalesce(c.pinned_at, f.pinned_at),
        muted_until = greatest(c.muted_until, f.muted_until),
        archived = c.archived AND f.archived,
        stored = (SELECT count(*) FROM messages m WHERE m.chat_id = into_id)
    FROM chats f WHERE c.id = into_id AND f.id = from_id;
    UPDATE chats c SET last_key = m.key, last_kind = m.kind, last_flags = m.flags, last_text = left(m.body, 200),
        last_sender = m.sender_name, last_status = m.status
    FROM (SELECT * FROM messages WHERE chat_id = into_id ORDER BY key >> 32 DESC, created_at DESC LIMIT 1) m
    WHERE c.id = into_id;
    DELETE FROM chats WHERE id = from_id;
END
$$;
