-- name: renumber_session
-- SQLite: a session file becomes that of another number; every table that names its device follows by its foreign key.
-- $1 to $4 as :names: jid and lid with the device's number, the identity key of the number's own phone.
UPDATE whatsmeow_device SET jid = :jid, lid = :lid, adv_account_sig_key = :identity

-- name: forget_people
-- SQLite: sessions with people of the first number are nobody's here.
DELETE FROM whatsmeow_sessions

-- name: forget_identities
DELETE FROM whatsmeow_identity_keys

-- name: forget_lids
DELETE FROM whatsmeow_lid_map

-- name: know_phone
-- SQLite: the number's own phone, as a pairing leaves it.
INSERT INTO whatsmeow_identity_keys (our_jid, their_id, identity) VALUES (:jid, :phone_id, :identity)

-- name: know_own_lid
INSERT INTO whatsmeow_lid_map (lid, pn) VALUES (:lid_user, :phone)

-- name: paired
SELECT no, tenant_id, jid, lid, phone, wa_device, store, push_name, state FROM devices WHERE no = $1

-- name: want_online
-- $1: of the loaded lines so many, the first, are to be connected.
UPDATE devices d SET desired_state = CASE WHEN place.n <= $1::int4 THEN 'connected' ELSE 'disconnected' END,
    state = 'offline', retry_at = NULL, failures = 0
FROM (SELECT no, row_number() OVER (ORDER BY no) AS n FROM devices) place WHERE place.no = d.no

-- name: online
SELECT count(*) FROM devices WHERE state = 'online'

-- name: by_state
SELECT state, state_reason, count(*) AS count FROM devices GROUP BY 1, 2 ORDER BY 3 DESC

-- name: stored
SELECT count(*) FROM messages

-- name: log_statements
ALTER SYSTEM SET log_statement = 'all'

-- name: log_none
ALTER SYSTEM RESET log_statement

-- name: reload
SELECT pg_reload_conf()

-- name: connections
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name LIKE 'wafast%'

-- name: workers
SELECT network, pid FROM workers WHERE expires_at > now()
