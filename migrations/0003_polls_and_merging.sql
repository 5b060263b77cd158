-- What votes on a poll need: {"secret": base64, "options": [{"name", "hash"}]}. NULL for all that is no poll.
ALTER TABLE messages ADD COLUMN poll jsonb;

-- A person known by LID and by number, until it shows that the two are one: the LID's chat goes into the number's.
-- Messages that both have are one and count once; preview and what was read are as the rows then say.
CREATE FUNCTION merge_chats(from_id int8, into_id int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    doubled int4;
BEGIN
    PERFORM FROM chats WHERE id IN (from_id, into_id) ORDER BY id FOR UPDATE;
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
    DELETE FROM messages WHERE chat_id = from_id;
    DELETE FROM thumbnails WHERE chat_id = from_id;
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
