-- Every message moves last_key, and an index on it made each of those updates write three indexes anew (a quarter of
-- ingest's CPU). A device's chats are found by chats' UNIQUE (device_no, jid) and sorted: 10 ms for ten thousand.
DROP INDEX chats_by_activity;
