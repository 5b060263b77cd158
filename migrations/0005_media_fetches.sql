-- Files that are to come without anybody looking, and files that could not be had. What was fetched has no row here.
-- No foreign key to messages, as everywhere; rows whose message is gone are swept away (inbox/media_quota.sql).
CREATE TABLE media_fetches (
    chat_id   int8 NOT NULL,
    key       int8 NOT NULL,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    -- wanted: its worker fetches it · failed: given up, a view tries again · expired: WhatsApp does not keep it any more
    state     text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'failed', 'expired')),
    reason    text,
    attempts  int4 NOT NULL DEFAULT 0,
    -- wanted: not before; expired: until then a view is answered without asking WhatsApp again
    retry_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_id, key),
    CHECK (state = 'wanted' OR reason IS NOT NULL)
);
CREATE INDEX media_fetches_wanted ON media_fetches (key DESC) WHERE state = 'wanted';

-- Eviction: the least recently viewed first; a file of several tenants; a file that is still to be sent.
CREATE INDEX media_by_view ON media (viewed_at);
CREATE INDEX media_by_hash ON media (sha256) INCLUDE (size);
CREATE INDEX outbox_files ON outbox (media_sha256)
    WHERE media_sha256 IS NOT NULL AND state IN ('queued', 'sending', 'unknown');

-- As before, and what is known of its files moves with a message.
CREATE OR REPLACE FUNCTION merge_chats(from_id int8, into_id int8) RETURNS void LANGUAGE plpgsql AS $$
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
