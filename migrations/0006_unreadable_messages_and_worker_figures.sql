-- Flag 32 of messages: it could not be read and is shown as "Waiting for this message"; the message itself takes its place.

-- What a worker has counted since it started, as of its last heartbeat.
ALTER TABLE workers ADD COLUMN figures jsonb NOT NULL DEFAULT '{}';
