-- What a batch of messages does to one chat, as the writer hands it over (writer/counts.rs). A function over thirteen arrays
-- reads each into a table of its own first, which took a fifth of the statement.
CREATE TYPE chat_share AS (
    id           int8,
    name         text,
    stored       int4,
    floor_key    int8,
    first_unread int8,
    unread       int4,
    last_key     int8,
    last_kind    int2,
    last_flags   int2,
    last_text    text,
    last_sender  text,
    last_status  int2,
    known        int4
);
