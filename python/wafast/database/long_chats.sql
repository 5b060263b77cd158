-- name: has_index_by_id
SELECT to_regclass('messages_by_id') IS NOT NULL

-- name: make_index_by_id
CREATE INDEX IF NOT EXISTS messages_by_id ON messages (chat_id, message_id)

-- name: drop_index_by_id
DROP INDEX IF EXISTS messages_by_id
