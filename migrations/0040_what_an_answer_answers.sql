-- What an answer brings of the message it answers (rust/core/src/quote.rs): {"kind", "text", "sender", "chat"}. That one may
-- be trimmed, or be a status, or of a group. NULL for all that answers nothing. The sender stays as it was named: whose LID
-- it is is looked up when it is read.
ALTER TABLE messages ADD COLUMN quote jsonb;

-- It goes over with its message when two chats become one.
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('merge_messages_of_chats(int8, int8)'::regprocedure),
                    'deleted_at, poll, pin_said_at', 'deleted_at, poll, pin_said_at, quote');
END
$$;
