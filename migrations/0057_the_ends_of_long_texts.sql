-- Until now words behind the first 10,000 characters of a message were not found: such messages are indexed once more.
INSERT INTO search_queue (chat_id, key)
SELECT chat_id, key FROM messages WHERE octet_length(body) > 10000 ORDER BY key;
