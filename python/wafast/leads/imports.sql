-- Files of leads on their way in.

-- name: create_import
INSERT INTO imports (tenant_id, kind, file_name, size, options, created_by) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING *;

-- name: add_piece
INSERT INTO import_pieces (import_id, tenant_id, place, bytes) VALUES ($1, $2, $3, $4);

-- name: wake_importer
SELECT pg_notify($1, '');

-- name: list_imports
SELECT * FROM imports WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: get_import
SELECT * FROM imports WHERE tenant_id = $1 AND id = $2;

-- name: lock_import
SELECT * FROM imports WHERE tenant_id = $1 AND id = $2 FOR UPDATE;

-- name: look_again
UPDATE imports SET state = 'reading', options = options || $3::jsonb,
    reason = NULL, cause = NULL, counts = NULL, rows = NULL, attempts = 0, read = 0, written = 0
WHERE tenant_id = $1 AND id = $2
RETURNING *;

-- name: begin_import
-- A person says what the columns are, and that it is to be looked through ('checking') or taken in ('running').
-- What was counted when it was looked through is not what was written.
UPDATE imports SET state = $3, mapping = $4, options = $5, attempts = 0, read = 0, written = 0, reason = NULL, cause = NULL,
    counts = CASE WHEN kind = 'leads' OR $3 = 'checking' THEN counts END
WHERE tenant_id = $1 AND id = $2
RETURNING *;

-- name: cancel_import
-- Of what was written of leads nothing stays.
UPDATE imports SET state = 'cancelled', ended_at = now(), written = CASE WHEN kind = 'suppressions' THEN written ELSE 0 END,
    counts = CASE WHEN kind = 'suppressions' THEN counts END
WHERE tenant_id = $1 AND id = $2 AND state NOT IN ('done', 'failed', 'cancelled')
RETURNING *;

-- name: drop_pieces
DELETE FROM import_pieces WHERE import_id = $1;

-- name: list_problems
-- Each row of the file has one at most.
SELECT line, is_double, value, reason, causes FROM import_problems WHERE tenant_id = $1 AND import_id = $2 AND line > $3
ORDER BY line LIMIT $4;

-- name: forget_imports
-- Files nobody went on with, and what is known of old ones.
DELETE FROM imports WHERE created_at < now() - interval '30 days'
    OR created_at < now() - interval '7 days' AND state IN ('ready', 'checked');

-- name: next_import
-- Besides those at work ($1), of workspaces ($2) that have one; $3: one that is only looked at. Who fell over waits for others.
SELECT id, tenant_id, state FROM imports
WHERE state IN ('reading', 'checking', 'running') AND id <> ALL ($1::int8[])
  AND (state = 'reading' OR NOT $3 AND tenant_id <> ALL ($2::int4[]))
ORDER BY attempts, id LIMIT 1;

-- name: unwanted
-- Of these ($1), at work, what is to end: it was cancelled, or is gone.
SELECT work.id FROM unnest($1::int8[]) AS work (id)
WHERE NOT EXISTS (SELECT FROM imports i WHERE i.id = work.id AND i.state <> 'cancelled');

-- name: note_attempt
UPDATE imports SET attempts = attempts + 1 WHERE id = $1 RETURNING attempts;

-- name: fail_import
-- Its file is of no more use.
WITH failed AS (
    UPDATE imports SET state = 'failed', reason = $2, cause = $3, ended_at = now(),
        written = CASE WHEN kind = 'suppressions' THEN written ELSE 0 END,
        counts = CASE WHEN kind = 'suppressions' THEN counts END
    WHERE id = $1 AND state IN ('reading', 'checking', 'running')
    RETURNING id, tenant_id
), gone AS (
    DELETE FROM import_pieces WHERE import_id = (SELECT id FROM failed)
)
SELECT tenant_id FROM failed;

-- name: keep_shape
-- The sheet that was looked at can't be read, or not so, and what was before stays.
UPDATE imports SET state = 'ready', reason = $2, cause = $3, options = options || jsonb_build_object('sheet', shape -> 'sheet', 'encoding', '')
WHERE id = $1 AND state = 'reading';

-- name: import_to_do
SELECT i.*, t.region, t.time_zone FROM imports i JOIN tenants t ON t.id = i.tenant_id WHERE i.id = $1;

-- name: get_piece
SELECT bytes FROM import_pieces WHERE import_id = $1 AND place = $2;

-- name: note_shape
UPDATE imports SET state = $2, shape = $3, mapping = $4 WHERE id = $1 AND state = 'reading' RETURNING id;

-- name: note_progress
-- Gives nothing when the import is to end: it was cancelled, or another process has done it. What a process before wrote stays.
UPDATE imports SET read = $3, written = CASE WHEN kind = 'suppressions' THEN written ELSE $4 END
WHERE id = $1 AND state = $2
RETURNING id;

-- name: note_portion
-- In the transaction that wrote it: $2 more numbers are new, and the first $3 are written. Gives how many are new by now.
UPDATE imports i SET written = n.written, counts = jsonb_build_object(
    'new', n.new, 'changed', 0, 'unchanged', greatest(n.written - n.new, 0), 'doubles', $4::int8, 'errors', $5::int8, 'joined', 0)
FROM (SELECT id, coalesce((counts ->> 'new')::int8, 0) + $2 AS new, greatest(written, $3::int8) AS written
      FROM imports WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE) n
WHERE i.id = n.id
RETURNING n.new;

-- name: import_devices
SELECT no, id::text AS id, name, phone FROM devices WHERE tenant_id = $1;

-- name: prepare_staging
-- Of this connection alone: it is gone with it, whatever happens. Its memory is small, as there may be many of these.
SET work_mem = '32MB';
SET jit = off;
-- words and tags are indexed in large portions
SET gin_pending_list_limit = '64MB';
SET maintenance_work_mem = '64MB';
CREATE TEMP TABLE staged (line int8, phone text, name text, tags text[], target_status text, device_no int4, fields text,
                          zone text);
CREATE TEMP TABLE problems (line int8, is_double bool, value text, reason text, cause text);
CREATE TEMP TABLE joined (line int8 PRIMARY KEY, written text, phone text);
CREATE TEMP TABLE doubles (line int8, phone text, first int8);
CREATE TEMP TABLE crowded (line int8 PRIMARY KEY, phone text, tags text[], fields text[]);

-- name: find_joined
-- Rows whose number no lead has, but the person of one. Few numbers can be so, and only of these it is asked.
WITH others AS (
    SELECT phone FROM former_leads WHERE tenant_id = $1 AND lead_id IS NOT NULL
  UNION
    SELECT unnest(ARRAY[phone, '+' || split_part(jid, '@', 1)]) FROM number_checks
    WHERE tenant_id = $1 AND jid <> substr(phone, 2) || '@s.whatsapp.net'
), few AS MATERIALIZED (
    SELECT s.line, s.phone FROM others o JOIN staged s ON s.phone = o.phone
)
INSERT INTO joined
SELECT f.line, f.phone, l.phone FROM few f CROSS JOIN LATERAL lead_of_person($1, f.phone) l WHERE l.phone <> f.phone
ON CONFLICT (line) DO UPDATE SET phone = excluded.phone;

-- name: join_staged
UPDATE staged s SET phone = j.phone FROM joined j WHERE j.line = s.line AND s.phone <> j.phone;

-- name: find_doubles
-- Of rows of the same lead the first counts.
INSERT INTO doubles
SELECT line, phone, first FROM (
    SELECT line, phone, min(line) OVER (PARTITION BY phone) AS first FROM staged) numbered
WHERE line <> first;

-- name: drop_doubles
DELETE FROM staged s USING doubles d WHERE s.line = d.line;

-- name: count_doubles
SELECT count(*) FROM doubles;

-- name: count_joined
SELECT count(*) FROM joined j WHERE NOT EXISTS (SELECT FROM doubles d WHERE d.line = j.line);

-- name: analyze_staged
CREATE UNIQUE INDEX ON staged (line);
ANALYZE staged;

-- name: count_staged
-- What taking them in would do. $1 the tenant, $2 whether known leads are changed, $3 how many tags each has room for, $4 how
-- many fields.
SELECT count(*) FILTER (WHERE l.id IS NULL) AS new,
       count(*) FILTER (WHERE l.id IS NOT NULL AND $2 AND (
           s.name <> '' AND s.name <> l.name OR NOT s.tags <@ l.tags AND cardinality(l.tags) < $3
           OR s.target_status <> l.target_status
           OR s.device_no IS NOT NULL AND s.device_no IS DISTINCT FROM l.device_no
           OR s.fields IS NOT NULL AND NOT l.fields @> s.fields::jsonb
               AND NOT l.fields @> room.taken)) AS changed
FROM staged s LEFT JOIN leads l ON l.tenant_id = $1 AND l.phone = s.phone
CROSS JOIN LATERAL (
    SELECT CASE WHEN (SELECT count(*) FROM jsonb_object_keys(l.fields || s.fields::jsonb)) <= $4::int4 THEN s.fields::jsonb
                ELSE fields_with_room(l.fields, s.fields::json, $4) END AS taken
) room;

-- name: change_known
-- $2, $3: from this line up to before that. Tags and fields are added, and what the file leaves empty stays; $4 how many tags
-- a lead has room for, $5 how many fields. Of these lines the leads are held in the order in which others hold many. Gives how
-- many were changed; what waits for those who get another device goes over by itself, later.
WITH differing AS MATERIALIZED (
    SELECT l.id, l.device_no AS was_at, s.*, room.taken
    FROM staged s JOIN leads l ON l.tenant_id = $1 AND l.phone = s.phone
    CROSS JOIN LATERAL (
        SELECT CASE WHEN (SELECT count(*) FROM jsonb_object_keys(l.fields || s.fields::jsonb)) <= $5::int4 THEN s.fields::jsonb
                    ELSE fields_with_room(l.fields, s.fields::json, $5) END AS taken
    ) room
    WHERE s.line >= $2 AND s.line < $3
      AND (s.name <> '' AND s.name <> l.name OR NOT s.tags <@ l.tags AND cardinality(l.tags) < $4
           OR s.target_status <> l.target_status
           OR s.device_no IS NOT NULL AND s.device_no IS DISTINCT FROM l.device_no
           OR s.fields IS NOT NULL AND NOT l.fields @> s.fields::jsonb
               AND NOT l.fields @> room.taken)
    ORDER BY l.id FOR NO KEY UPDATE OF l
), changed AS (
    UPDATE leads l SET
        name = CASE WHEN s.name <> '' THEN s.name ELSE l.name END,
        tags = (l.tags || ARRAY(SELECT tag FROM unnest(s.tags) tag WHERE tag <> ALL (l.tags)))[:$4::int4],
        target_status = coalesce(s.target_status, l.target_status),
        device_no = coalesce(s.device_no, l.device_no),
        fields = l.fields || coalesce(s.taken, '{}'),
        updated_at = now()
    FROM differing s WHERE l.id = s.id
    RETURNING l.id, l.device_no, s.was_at
), given AS (
    INSERT INTO given_leads (tenant_id, lead_id)
    SELECT $1, id FROM changed WHERE device_no IS DISTINCT FROM was_at
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM changed;

-- name: find_crowded
-- Known leads that have no room for all tags ($2) or fields ($3), with those that are left out; whether they are changed already
-- or not.
INSERT INTO crowded
SELECT s.line, s.phone, left_out.tags, left_out.fields
FROM leads l JOIN staged s ON s.phone = l.phone
CROSS JOIN LATERAL (
    SELECT (l.tags || ARRAY(SELECT tag FROM unnest(s.tags) tag WHERE tag <> ALL (l.tags)))[$2::int4 + 1:] AS tags,
           ARRAY(SELECT name FROM json_object_keys(s.fields::json) name
                 WHERE NOT l.fields ? name AND NOT fields_with_room(l.fields, s.fields::json, $3) ? name) AS fields
) left_out
WHERE l.tenant_id = $1
  AND (cardinality(l.tags) > $2 - (SELECT max(cardinality(tags)) FROM staged) AND left_out.tags <> '{}'
       OR s.fields IS NOT NULL AND NOT l.fields @> s.fields::jsonb
           AND (SELECT count(*) FROM jsonb_object_keys(l.fields || s.fields::jsonb)) > $3 AND left_out.fields <> '{}');

-- name: count_crowded
SELECT count(*) FROM crowded;

-- name: add_new
-- Gives how many are new, how many others there are, and how many of these are no leads of their own, as theirs became part of
-- another since find_joined: those are left out. So are those whose lead is there: it may become so before its number is free.
WITH fresh AS MATERIALIZED (
    SELECT s.*, EXISTS (SELECT FROM former_leads f WHERE f.tenant_id = $1 AND f.phone = s.phone AND f.lead_id IS NOT NULL)
               AS is_joined
    FROM staged s
    WHERE s.line >= $2 AND s.line < $3 AND NOT EXISTS (SELECT FROM leads l WHERE l.tenant_id = $1 AND l.phone = s.phone)
), added AS (
    INSERT INTO leads (tenant_id, phone, name, tags, target_status, device_no, fields, zone)
    SELECT $1, phone, name, tags, coalesce(target_status, 'prospect'), device_no, coalesce(fields::jsonb, '{}'), zone
    FROM fresh WHERE NOT is_joined ORDER BY line
    ON CONFLICT (tenant_id, phone) DO NOTHING RETURNING 1
)
SELECT a.new, (SELECT count(*) FROM staged WHERE line >= $2 AND line < $3) - a.new AS others,
       (SELECT count(*) FROM fresh WHERE is_joined) AS joined
FROM (SELECT count(*) AS new FROM added) a;

-- name: is_anybody_missing
-- Whose lead was there, and is not any more.
SELECT EXISTS (SELECT FROM staged s WHERE s.line >= $2 AND s.line < $3
               AND NOT EXISTS (SELECT FROM leads l WHERE l.tenant_id = $1 AND l.phone = s.phone));

-- name: count_suppressions
SELECT count(*) FILTER (WHERE p.phone IS NULL) AS new, 0::int8 AS changed
FROM staged s LEFT JOIN suppressions p ON p.tenant_id = $1 AND p.phone = s.phone;

-- name: add_suppressions
WITH portion AS (
    SELECT phone FROM staged WHERE line >= $2 AND line < $3
), added AS (
    INSERT INTO suppressions (tenant_id, phone, reason, created_by)
    SELECT $1, phone, 'imported', 'import:' || $4 FROM portion ORDER BY phone
    ON CONFLICT DO NOTHING
    RETURNING phone
)
SELECT (SELECT count(*) FROM added) AS new, (SELECT count(*) FROM portion) AS all;

-- name: staged_terms
SELECT ARRAY(SELECT DISTINCT unnest(tags) FROM staged) AS tags,
       ARRAY(SELECT DISTINCT jsonb_object_keys(fields::jsonb) FROM staged WHERE fields IS NOT NULL) AS fields;

-- name: tidy_indexes
SELECT gin_clean_pending_list('leads_by_word'), gin_clean_pending_list('leads_by_tag');

-- name: forget_problems
DELETE FROM import_problems WHERE import_id = $1;

-- name: keep_problems
INSERT INTO import_problems (import_id, tenant_id, line, is_double, value, reason, causes)
SELECT $1, $2, line, is_double, value, reason, causes FROM (
    SELECT line, is_double, value, reason, jsonb_build_array(cause::jsonb) AS causes FROM problems
    UNION ALL
    SELECT d.line, true, coalesce(j.written, d.phone),
           CASE WHEN coalesce(j.written, d.phone) = coalesce(f.written, d.phone) THEN 'the same number' ELSE 'the same person' END
               || ' as in row ' || d.first,
           jsonb_build_array(jsonb_build_object(
               'kind', CASE WHEN coalesce(j.written, d.phone) = coalesce(f.written, d.phone) THEN 'number_twice' ELSE 'person_twice' END,
               'values', jsonb_build_object('row', d.first::text)))
    FROM (
        -- the first may have become the double of another one meanwhile
        SELECT d.line, d.phone, coalesce(before.first, d.first) AS first
        FROM doubles d LEFT JOIN doubles before ON before.line = d.first
    ) d LEFT JOIN joined j ON j.line = d.line LEFT JOIN joined f ON f.line = d.first
    UNION ALL
    SELECT line, true, coalesce(j.written, c.phone), concat_ws('; ',
        'another number of the lead ' || j.phone || ': it counts as that one',
        CASE WHEN c.tags <> '{}' THEN 'a lead has at most ' || $3::int4 || ' tags, and ' || cardinality(c.tags)
            || ' were left out: ' || left(array_to_string(c.tags, ', '), 300) END,
        CASE WHEN c.fields <> '{}' THEN 'a lead has at most ' || $4::int4 || ' fields, and ' || cardinality(c.fields)
            || ' were left out: ' || left(array_to_string(c.fields, ', '), 300) || '; take others off it, then import this row again'
            END),
        CASE WHEN j.phone IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object(
            'kind', 'other_number', 'values', jsonb_build_object('phone', j.phone))) END
        || CASE WHEN cardinality(c.tags) > 0 THEN jsonb_build_array(jsonb_build_object(
            'kind', 'tags_left_out', 'values', jsonb_build_object('most', $3::int4::text, 'n', cardinality(c.tags)::text,
                'names', left(array_to_string(c.tags, ', '), 300)))) ELSE '[]' END
        || CASE WHEN cardinality(c.fields) > 0 THEN jsonb_build_array(jsonb_build_object(
            'kind', 'fields_left_out', 'values', jsonb_build_object('most', $4::int4::text, 'n', cardinality(c.fields)::text,
                'names', left(array_to_string(c.fields, ', '), 300)))) ELSE '[]' END
    FROM joined j FULL JOIN crowded c USING (line)
    WHERE NOT EXISTS (SELECT FROM doubles d WHERE d.line IN (j.line, c.line))) told
ORDER BY line;

-- name: end_import
-- Only who comes first ends it: another process that did the same undoes all it did.
UPDATE imports SET state = $3, counts = $4, rows = $5::int8, read = $5::int8, written = CASE WHEN $3 = 'done' THEN $5::int8 ELSE 0 END,
    ended_at = CASE WHEN $3 = 'done' THEN now() END
WHERE id = $1 AND state = $2
RETURNING id;
