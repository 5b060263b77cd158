-- What somebody took back, a reaction or a vote, leaves when that was, with an empty emoji or no options: one that was made
-- earlier and comes later does not stand again. Nobody is shown that.
CREATE FUNCTION still_said(said jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    nullif(jsonb_path_query_array(said, '$[*] ? (@.emoji != "" || @.options.size() > 0)'), '[]');

-- The phone has said of a chat how many messages are unread, which counts once: what comes afterwards is counted here.
ALTER TABLE chats ADD COLUMN unread_told bool NOT NULL DEFAULT false;

DO $$
DECLARE
    of_view text := pg_get_viewdef('whatsapp_messages'::regclass);
    of_merging text := pg_get_functiondef('merge_messages_of_chats(int8, int8)'::regprocedure);
BEGIN
    of_view := replace(of_view, ' m.reactions,', ' still_said(m.reactions) AS reactions,');
    EXECUTE 'CREATE OR REPLACE VIEW whatsapp_messages AS '
        || replace(of_view, ' m.poll_votes,', ' still_said(m.poll_votes) AS poll_votes,');
    -- Of two copies of a message of ours it is as far as either came; that one failed (6) does not mean that the other has.
    of_merging := replace(of_merging, 'l.flags & 16 AS lost_pin', 'l.flags & 16 AS lost_pin, l.status AS lost_status');
    of_merging := replace(of_merging, 'm SET reactions = twin.reactions,',
        'm SET status = CASE WHEN 6 IN (m.status, twin.lost_status) THEN least(m.status, twin.lost_status)
                             ELSE greatest(m.status, twin.lost_status) END,
            reactions = twin.reactions,');
    EXECUTE replace(of_merging, 'read_key = up_to,', 'read_key = up_to,
        unread_told = c.unread_told OR f.unread_told,');
END
$$;
