-- name: count_links
-- SQLite, in a session file: 1 once a phone has linked it, 0 again when WhatsApp has ended the link.
SELECT count(*) FROM whatsmeow_device
