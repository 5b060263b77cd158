-- Flag 32 of messages: it could not be read and is shown as "Waiting for this message"; the message itself takes its place.
-- There are few of them at any time, and a chat's are looked up whenever it is loaded.
CREATE INDEX messages_waiting ON messages (chat_id) WHERE flags & 32 <> 0;

-- What a worker has counted since it started, as of its last heartbeat.
ALTER TABLE workers ADD COLUMN figures jsonb NOT NULL DEFAULT '{}';
