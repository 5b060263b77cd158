-- Flag 64 of messages: it came with a history and counts as read. So the rows say which of them are unread: those that are
-- neither ours nor came read (flags & 65 = 0) and are later than what was read.

-- Keys of messages that were trimmed out of the oldest second that is kept, which a floor can't divide: what comes again of
-- them is not new.
ALTER TABLE chats ADD COLUMN thinned int8[];
-- When it was told what the chat is called, in Unix seconds: what was told earlier may be taken in later.
ALTER TABLE chats ADD COLUMN named_at int8;
-- When it was last said whether the message is pinned, in Unix seconds.
ALTER TABLE messages ADD COLUMN pin_said_at int8;

-- 5 and 6 were never written: who has devices hosted is written as the same person. 7 is written no more: a JID of a server
-- nobody knows is no number, and is 0 here.
CREATE OR REPLACE FUNCTION jid_of(packed int8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN packed = 0 THEN NULL ELSE (packed >> 3) || '@' ||
        (ARRAY['s.whatsapp.net','lid','g.us','broadcast','newsletter','bot','interop','unknown'])[(packed & 7) + 1] END;

-- Two chats of one person become one. What is trimmed is forgotten first. A message that both have is one, whatever its
-- time was in each: the copy stays that was read, deleted or edited last, with what was said of either; it is unread when
-- both are. What is read is what is not later than the later of the two read positions.
CREATE OR REPLACE FUNCTION merge_chats(from_id int8, into_id int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    up_to int8;
    up_to_at timestamptz;
    behind int8[];
    twin record;
BEGIN
    PERFORM FROM chats WHERE id IN (from_id, into_id) ORDER BY id FOR UPDATE;
    DELETE FROM messages m USING chats c WHERE c.id IN (from_id, into_id) AND m.chat_id = c.id AND m.key <= c.floor_key;
    SELECT c.read_key, coalesce(r.created_at, '-infinity') INTO up_to, up_to_at
    FROM chats c LEFT JOIN messages r ON r.chat_id = c.id AND r.key = c.read_key
    WHERE c.id IN (from_id, into_id) AND c.read_key IS NOT NULL
    ORDER BY c.read_key >> 32 DESC, 2 DESC LIMIT 1;
    SELECT array_agg(c.id) INTO behind
    FROM chats c LEFT JOIN messages r ON r.chat_id = c.id AND r.key = c.read_key
    WHERE c.id IN (from_id, into_id) AND up_to IS NOT NULL
      AND (c.read_key IS NULL OR (c.read_key >> 32, coalesce(r.created_at, '-infinity')) < (up_to >> 32, up_to_at));
    FOR twin IN
        WITH copies AS (
            SELECT m.*, m.flags & 65 = 0 AND (c.read_key IS NULL OR (m.key >> 32, m.created_at)
                       > (c.read_key >> 32, coalesce(r.created_at, '-infinity'))) AS is_unread
            FROM chats c JOIN messages m ON m.chat_id = c.id
            LEFT JOIN messages r ON r.chat_id = c.id AND r.key = c.read_key
            WHERE c.id IN (from_id, into_id)
        )
        SELECT k.chat_id, k.key, k.is_unread, l.chat_id AS lost_chat, l.key AS lost_key, l.is_unread AS lost_is_unread,
               CASE WHEN k.deleted_at IS NULL THEN said_by(coalesce(l.reactions, '[]') || coalesce(k.reactions, '[]'), '{}', '{}')
               END AS reactions,
               CASE WHEN k.deleted_at IS NULL THEN said_by(coalesce(l.poll_votes, '[]') || coalesce(k.poll_votes, '[]'), '{}', '{}')
               END AS poll_votes,
               coalesce(l.pin_said_at > coalesce(k.pin_said_at, 0), false) AS is_pin_later, l.flags & 16 AS lost_pin, l.pin_said_at
        FROM copies k JOIN copies l ON l.message_id = k.message_id AND l.chat_id <> k.chat_id
        WHERE (k.flags & 32 = 0, k.deleted_at IS NOT NULL, coalesce(k.edited_at, '-infinity'), k.chat_id = into_id)
            > (l.flags & 32 = 0, l.deleted_at IS NOT NULL, coalesce(l.edited_at, '-infinity'), l.chat_id = into_id)
    LOOP
        UPDATE messages m SET reactions = twin.reactions, poll_votes = twin.poll_votes,
            flags = CASE WHEN twin.is_pin_later THEN m.flags & ~16 | twin.lost_pin ELSE m.flags END
                    | CASE WHEN m.flags & 1 = 0 AND NOT (twin.is_unread AND twin.lost_is_unread) THEN 64 ELSE 0 END,
            pin_said_at = CASE WHEN twin.is_pin_later THEN twin.pin_said_at ELSE m.pin_said_at END
        WHERE m.chat_id = twin.chat_id AND m.key = twin.key;
        DELETE FROM messages WHERE chat_id = twin.lost_chat AND key = twin.lost_key;
        UPDATE chats c SET unread = greatest(0, c.unread - 1)
        WHERE (c.id = twin.lost_chat AND twin.lost_is_unread)
           OR (c.id = twin.chat_id AND twin.is_unread AND NOT twin.lost_is_unread);
    END LOOP;
    UPDATE chats c SET unread = least(c.unread, (
        SELECT count(*)::int4 FROM messages m
        WHERE m.chat_id = c.id AND m.flags & 65 = 0 AND (m.key >> 32, m.created_at) > (up_to >> 32, up_to_at)))
    WHERE c.id = ANY (behind) AND c.unread > 0;
    INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id,
                          sender_name, body, media, quoted, reactions, poll_votes, edited_at, deleted_at, poll, pin_said_at)
    SELECT into_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id,
           sender_name, body, media, quoted, reactions, poll_votes, edited_at, deleted_at, poll, pin_said_at
    FROM messages WHERE chat_id = from_id
    ON CONFLICT DO NOTHING;
    INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg)
    SELECT into_id, key, tenant_id, jpeg FROM thumbnails WHERE chat_id = from_id
    ON CONFLICT DO NOTHING;
    INSERT INTO media_fetches (chat_id, key, tenant_id, device_no, state, reason, attempts, retry_at)
    SELECT into_id, key, tenant_id, device_no, state, reason, attempts, retry_at FROM media_fetches WHERE chat_id = from_id
    ON CONFLICT DO NOTHING;
    DELETE FROM messages WHERE chat_id = from_id;
    DELETE FROM thumbnails t WHERE t.chat_id = from_id OR (t.chat_id = into_id AND NOT EXISTS (
        SELECT FROM messages m WHERE m.chat_id = t.chat_id AND m.key = t.key));
    DELETE FROM media_fetches f WHERE f.chat_id = from_id OR (f.chat_id = into_id AND NOT EXISTS (
        SELECT FROM messages m WHERE m.chat_id = f.chat_id AND m.key = f.key));
    UPDATE pending_changes SET chat_id = into_id WHERE chat_id = from_id;
    -- Where the copy is gone that was read, the one just before it.
    up_to := coalesce((SELECT m.key FROM messages m WHERE m.chat_id = into_id AND m.key >> 32 = up_to >> 32
                         AND m.created_at <= up_to_at ORDER BY m.created_at DESC LIMIT 1), up_to);
    UPDATE chats c SET
        name = coalesce(c.name, f.name),
        named_at = greatest(c.named_at, f.named_at),
        unread = c.unread + f.unread,
        read_key = up_to,
        floor_key = greatest(c.floor_key, f.floor_key),
        thinned = c.thinned || f.thinned,
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
