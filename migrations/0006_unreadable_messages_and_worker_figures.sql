-- Flag 32 of messages: it could not be read and is shown as "Waiting for this message"; the message itself takes its place.

-- What a worker has counted since it started, as of its last heartbeat.
ALTER TABLE workers ADD COLUMN figures jsonb NOT NULL DEFAULT '{}';

-- As before, and a message that could not be read in one chat and is there in the other is that one.
CREATE OR REPLACE FUNCTION merge_chats(from_id int8, into_id int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    doubled int4;
BEGIN
    PERFORM FROM chats WHERE id IN (from_id, into_id) ORDER BY id FOR UPDATE;
    WITH gone AS (
        DELETE FROM messages w USING messages m
        WHERE w.chat_id IN (from_id, into_id) AND w.flags & 32 <> 0
          AND m.chat_id IN (from_id, into_id) AND m.chat_id <> w.chat_id AND m.message_id = w.message_id
          AND (m.flags & 32 = 0 OR w.chat_id = from_id)
        RETURNING w.chat_id, w.key, w.created_at, w.flags
    )
    UPDATE chats c SET unread = greatest(0, c.unread - n.unread)
    FROM (SELECT g.chat_id, count(*)::int4 AS unread
          FROM gone g JOIN chats c ON c.id = g.chat_id LEFT JOIN messages r ON r.chat_id = c.id AND r.key = c.read_key
          WHERE g.flags & 1 = 0 AND (c.read_key IS NULL OR
                (g.key >> 32, g.created_at) > (c.read_key >> 32, coalesce(r.created_at, 'infinity')))
          GROUP BY g.chat_id) n
    WHERE c.id = n.chat_id;
    SELECT count(*) INTO doubled
    FROM messages f JOIN messages i ON i.chat_id = into_id AND i.key = f.key
    WHERE f.chat_id = from_id AND f.flags & 1 = 0;
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
        unread = greatest(c.unread + f.unread - doubled, c.unread, f.unread),
        read_key = greatest(c.read_key, f.read_key),
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
