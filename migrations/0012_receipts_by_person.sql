-- Who has got, read and played a message of ours in a group. Only there: a chat of two has one other person, whose progress
-- is the message's status. Rows of messages that are trimmed go within the hour (writer/receipts.rs), those of a chat with it.
CREATE TABLE receipts (
    chat_id      int8 NOT NULL REFERENCES chats ON DELETE CASCADE,
    key          int8 NOT NULL,
    person       int8 NOT NULL,           -- as messages.sender
    tenant_id    int4 NOT NULL,
    delivered_at timestamptz,
    read_at      timestamptz,
    played_at    timestamptz,
    PRIMARY KEY (chat_id, key, person)
);

-- How a person reads: NULL is what the browser asks for. The zone of their times is there already.
ALTER TABLE users ADD language text CHECK (language IN ('en', 'ms'));
