-- name: outbox_makers
-- A worker that holds all devices, which have no pace of their own.
WITH worker AS (
    INSERT INTO workers (id, network, node, pid, expires_at) VALUES ($1, 'loopback', 'bench', 1, now() + interval '1 day') RETURNING id
), held AS (
    INSERT INTO leases (device_no, tenant_id, worker_id) SELECT d.no, d.tenant_id, w.id FROM devices d, worker w
)
UPDATE devices SET state = 'online', min_seconds = 0, max_seconds = 0, per_hour = 1000000, per_day = 10000000, ramp = false,
                   typing = false, paired_at = now() - interval '1 year'

-- name: outbox_people
-- $1 tenant, $2 how many.
INSERT INTO leads (tenant_id, phone, name, zone)
SELECT $1, '+' || (60110000000 + n), 'Aisyah ' || n, 'Asia/Kuala_Lumpur' FROM generate_series(1, $2::int8) n

-- name: outbox_lanes
-- One of each of the sources $2 at each device. $1 tenant.
INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)
SELECT $1, s, d.no, 'Asia/Kuala_Lumpur', true FROM devices d, unnest($2::int8[]) s

-- name: outbox_indexes
-- As the migrations made them; those that a constraint needs stay.
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index WHERE indrelid = 'outbox'::regclass AND NOT indisprimary

-- name: outbox_without_triggers
ALTER TABLE outbox DISABLE TRIGGER USER

-- name: outbox_with_triggers
ALTER TABLE outbox ENABLE TRIGGER USER

-- name: outbox_rows
-- $1 tenant, $2 how many, $3 people, $4 devices, $5 sources. Each person once a source; its device is the same in each.
WITH lane AS MATERIALIZED (
    SELECT array_agg(n.id ORDER BY n.source_id, n.device_no) AS ids FROM lanes n
)
INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority, not_before, created_by)
SELECT $1, ($4::int4[])[n % cardinality($4::int4[]) + 1], ($5::int8[])[n / $3::int8 + 1],
       lane.ids[n / $3::int8 * cardinality($4::int4[]) + n % cardinality($4::int4[]) + 1],
       n % $3::int8 + 1, (60110000001 + n % $3::int8) || '@s.whatsapp.net', 'text', 'paced', '2026-01-01', 'bench'
FROM generate_series(0, $2::int8 - 1) n, lane

-- name: outbox_counts
INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
SELECT source_id, device_no, 'waiting', NULL, count(*) FROM outbox GROUP BY 1, 2

-- name: outbox_vacuum
VACUUM ANALYZE outbox, lanes, leads, devices, sources

-- name: outbox_ended
-- What a claim's sender writes at the end of many: compare-and-set on each claim. $1 worker, $2 rows, $3 their epochs.
UPDATE outbox o SET state = 'sent', message_id = 'M' || o.id, sent_at = now()
FROM unnest($2::int8[], $3::int8[]) e (id, epoch)
WHERE o.id = e.id AND (o.state = 'sending') IS NOT FALSE AND o.claim_worker = $1 AND o.claim_epoch = e.epoch

-- name: outbox_sent
-- $1 the most, one of each person.
SELECT DISTINCT ON (device_no, to_jid) device_no, to_jid, message_id FROM outbox WHERE state = 'sent'
ORDER BY device_no, to_jid, id LIMIT $1

-- name: outbox_messages
-- As their sender would have stored them: $1 devices, $2 JIDs, $3 message ids.
WITH sent AS (
    SELECT * FROM unnest($1::int4[], $2::text[], $3::text[]) s (device_no, jid, message_id)
), made AS (
    INSERT INTO chats (tenant_id, device_no, jid, stored, last_key, last_kind, last_flags, last_text, last_status)
    SELECT d.tenant_id, d.no, s.jid, 1, extract(epoch FROM now())::int8 << 32, 0, 1, 'Hi', 2
    FROM sent s JOIN devices d ON d.no = s.device_no
    RETURNING id, tenant_id, device_no, jid, last_key
)
INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, body)
SELECT c.id, c.last_key, now(), 0, c.device_no, c.tenant_id, 0, 1, 2, s.message_id, 'Hi'
FROM made c JOIN sent s USING (device_no, jid)

-- name: outbox_in_state
SELECT count(*) FROM outbox WHERE state = $1

-- name: outbox_steady
-- Every device leaves one each $1 seconds, not all at the same instant.
UPDATE devices SET min_seconds = $1::float8, max_seconds = $1::float8, last_paced_at = now() - random() * make_interval(secs => $1::float8)

-- name: outbox_at_once
UPDATE devices SET min_seconds = 0, max_seconds = 0, last_paced_at = '-infinity'

-- name: outbox_late
-- How late each claim since $1 came, in milliseconds: after the gap of $2 seconds since the one before it had left.
SELECT extract(epoch FROM claimed_at - before_at - make_interval(secs => $2::float8)) * 1000 AS late
FROM (SELECT claimed_at, lag(sent_at) OVER (PARTITION BY device_no ORDER BY claimed_at) AS before_at
      FROM outbox WHERE claimed_at >= $1) claims
WHERE before_at IS NOT NULL ORDER BY 1

-- name: outbox_late_at_once
-- How long after $1 the first of each device was claimed.
SELECT extract(epoch FROM min(claimed_at) - $1::timestamptz) * 1000 AS late FROM outbox WHERE claimed_at >= $1 GROUP BY device_no ORDER BY 1

-- name: cursor_tables
-- The shape of a sender with a cursor: subscribers of a list, no row for what was sent to whom.
CREATE TABLE cursor_people (id int4 PRIMARY KEY, name text, phone text, status text, updated_at timestamptz);
CREATE TABLE cursor_lists (list_id int4, person_id int4 REFERENCES cursor_people, status text, PRIMARY KEY (person_id, list_id));
CREATE TABLE cursor_campaigns (id int4 PRIMARY KEY, list_id int4, last_id int4, most_id int4, sent int4, updated_at timestamptz);
INSERT INTO cursor_campaigns VALUES (1, 1, 0, 0, 0, now())

-- name: cursor_people
-- $1 how many.
WITH people AS (
    INSERT INTO cursor_people SELECT n, 'Aisyah ' || n, '+' || (60110000000 + n), 'enabled', now() FROM generate_series(1, $1::int4) n
    RETURNING id
), listed AS (
    INSERT INTO cursor_lists SELECT 1, id, 'confirmed' FROM people
)
UPDATE cursor_campaigns SET most_id = $1

-- name: cursor_without_checks
ALTER TABLE cursor_lists DROP CONSTRAINT cursor_lists_person_id_fkey

-- name: cursor_next
-- The next $1 people after the cursor, which moves before anything is sent.
WITH campaign AS (
    SELECT * FROM cursor_campaigns WHERE id = 1
), people AS (
    SELECT p.* FROM cursor_lists l JOIN campaign c ON l.list_id = c.list_id
    JOIN cursor_people p ON p.id = l.person_id AND p.status <> 'blocklisted'
    WHERE l.status <> 'unsubscribed' AND l.person_id > c.last_id AND l.person_id <= c.most_id
    ORDER BY l.person_id LIMIT $1
), moved AS (
    UPDATE cursor_campaigns SET last_id = (SELECT max(id) FROM people), updated_at = now()
    WHERE id = 1 AND (SELECT count(*) FROM people) > 0
)
SELECT * FROM people

-- name: naive_table
-- The shape of a queue as one first writes it.
CREATE TABLE naive (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, phone text, body text, state text NOT NULL DEFAULT 'queued',
                    message_id text, created_at timestamptz NOT NULL)

-- name: naive_rows
INSERT INTO naive (phone, body, created_at)
SELECT '+' || (60110000000 + n), 'Hi Aisyah', timestamptz '2026-01-01' + n * interval '1 ms' FROM generate_series(1, $1::int8) n

-- name: naive_index
CREATE INDEX naive_queued ON naive (created_at) WHERE state = 'queued'

-- name: naive_claim
UPDATE naive SET state = 'sending'
WHERE id = (SELECT id FROM naive WHERE state = 'queued' ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id

-- name: naive_ended
UPDATE naive SET state = 'sent', message_id = 'M' || id WHERE id = $1 AND state = 'sending'
