-- Until when a message is pinned: whoever pins one says for how long (a day, a week, a month). NULL while nobody said so.
ALTER TABLE messages ADD COLUMN pinned_until timestamptz;

CREATE FUNCTION is_pinned(flags int2, pinned_until timestamptz) RETURNS bool LANGUAGE sql STABLE PARALLEL SAFE RETURN
    flags & 16 <> 0 AND coalesce(pinned_until > now(), true);

-- Of the messages of a chat, which may be very many where all are kept, those that were ever pinned are very few.
CREATE INDEX messages_pinned ON messages (chat_id) WHERE pin_said_at IS NOT NULL;

DO $$
DECLARE
    of_view text := pg_get_viewdef('whatsapp_messages'::regclass);
    of_merging text := pg_get_functiondef('merge_messages_of_chats(int8, int8)'::regprocedure);
BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW whatsapp_messages AS '
        || regexp_replace(of_view, '[^,]+ AS is_pinned', ' is_pinned(m.flags, m.pinned_until) AS is_pinned');
    -- when two chats become one it goes over with its pin
    of_merging := replace(of_merging, 'AS lost_pin, l.pin_said_at', 'AS lost_pin, l.pin_said_at, l.pinned_until');
    of_merging := replace(of_merging, 'THEN twin.pin_said_at ELSE m.pin_said_at END',
        'THEN twin.pin_said_at ELSE m.pin_said_at END,
            pinned_until = CASE WHEN twin.is_pin_later THEN twin.pinned_until ELSE m.pinned_until END');
    EXECUTE replace(of_merging, 'deleted_at, poll, pin_said_at', 'deleted_at, poll, pin_said_at, pinned_until');
END
$$;
