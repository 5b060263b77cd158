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

-- name: outbox_without_indexes
ALTER TABLE outbox DISABLE TRIGGER USER;
DROP INDEX outbox_replies, outbox_open, outbox_by_message, outbox_by_tenant, outbox_by_device, outbox_files,
           outbox_once_a_campaign, outbox_once_a_step, outbox_of_lane, outbox_of_lead, outbox_expiring

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

-- name: outbox_with_indexes
SET maintenance_work_mem = '1GB';
CREATE INDEX outbox_replies ON outbox (device_no, not_before, id) WHERE state = 'queued' AND priority = 'reply';
CREATE INDEX outbox_open ON outbox (device_no) WHERE state IN ('sending', 'unknown');
CREATE UNIQUE INDEX outbox_by_message ON outbox (device_no, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_by_tenant ON outbox (tenant_id, id DESC);
CREATE INDEX outbox_by_device ON outbox (device_no, id DESC);
CREATE INDEX outbox_files ON outbox (media_sha256) WHERE media_sha256 IS NOT NULL AND state IN ('queued', 'sending', 'unknown');
CREATE UNIQUE INDEX outbox_once_a_campaign ON outbox (source_id, to_jid) WHERE source_id IS NOT NULL AND enrolment_id IS NULL;
CREATE UNIQUE INDEX outbox_once_a_step ON outbox (enrolment_id, source_id) WHERE enrolment_id IS NOT NULL;
CREATE INDEX outbox_of_lane ON outbox (lane_id, not_before, id) WHERE state = 'queued';
CREATE INDEX outbox_of_lead ON outbox (lead_id, id DESC) WHERE lead_id IS NOT NULL;
CREATE INDEX outbox_expiring ON outbox (expires_at) WHERE state = 'queued' AND expires_at IS NOT NULL;
ALTER TABLE outbox ENABLE TRIGGER USER

-- name: outbox_counts
INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
SELECT source_id, device_no, 'waiting', NULL, count(*) FROM outbox GROUP BY 1, 2

-- name: outbox_vacuum
VACUUM ANALYZE outbox, lanes, leads, devices, sources

-- name: outbox_ended
-- What a claim's sender writes at the end of many: compare-and-set on each claim. $1 worker, $2 rows, $3 their epochs.
UPDATE outbox o SET state = 'sent', message_id = 'M' || o.id, sent_at = now()
FROM unnest($2::int8[], $3::int8[]) e (id, epoch)
WHERE o.id = e.id AND o.state = 'sending' AND o.claim_worker = $1 AND o.claim_epoch = e.epoch

-- name: outbox_receipts
-- As the core does it for each batch (writer/changes.rs): $1 devices, $2 message ids, $3 states, $4 times.
UPDATE outbox o SET state = t.state, delivered_at = coalesce(o.delivered_at, to_timestamp(t.at)),
    read_at = CASE WHEN t.state = 'read' THEN coalesce(o.read_at, to_timestamp(t.at)) END
FROM unnest($1::int4[], $2::text[], $3::text[], $4::int8[]) t (device_no, message_id, state, at)
WHERE o.device_no = t.device_no AND o.message_id = t.message_id
  AND (o.state = 'sent' OR (o.state = 'delivered' AND t.state = 'read'))
RETURNING o.tenant_id, o.device_no, o.id

-- name: outbox_sent
-- $1 the most.
SELECT device_no, message_id FROM outbox WHERE message_id IS NOT NULL AND state = 'sent' ORDER BY device_no, id LIMIT $1

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
