-- Sending to many at a human pace. What a row of the outbox says, whether it may leave now and how fast is its source's: a
-- campaign's message, or one step of a sequence. The outbox knows sources, and not what stands behind them.

CREATE TABLE sources (
    id           int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    -- only rows of a running one are claimed
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'paused', 'ended')),
    -- the message, rendered for each person when it is due (outbox/render.py)
    kind         text NOT NULL CHECK (kind IN ('text', 'image', 'video', 'document')),
    template     text NOT NULL DEFAULT '',
    media_sha256 bytea,                   -- of a row in media, same tenant
    file_name    text,
    -- pace: the device's own holds as well, and the stricter of both
    min_seconds  real NOT NULL DEFAULT 10 CHECK (min_seconds >= 0),
    max_seconds  real NOT NULL DEFAULT 30,
    -- working hours in the zone of who gets it; NULL: at any hour. Days: bit 0 is Monday.
    opens        time,
    closes       time,
    days         int2 NOT NULL DEFAULT 127 CHECK (days BETWEEN 1 AND 127),
    -- whether its rows may go to another device when theirs can't send
    may_move     bool NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (max_seconds >= min_seconds),
    CHECK ((opens IS NULL) = (closes IS NULL)),
    CHECK (kind = 'text' OR media_sha256 IS NOT NULL)
);
CREATE INDEX sources_by_tenant ON sources (tenant_id, id DESC);
CREATE INDEX sources_files ON sources (media_sha256) WHERE media_sha256 IS NOT NULL;

-- The rows of one source that wait at one device for people of one time zone: they may leave at the same hours and at the
-- same pace, so the claim looks at the first of each lane, however many wait behind it. A device's lanes take turns.
-- Without a device: the pool, from which rows are given to devices. Without a source: paced sends of the API.
CREATE TABLE lanes (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    source_id  int8 REFERENCES sources ON DELETE CASCADE,
    device_no  int4 REFERENCES devices (no) ON DELETE CASCADE,
    zone       text NOT NULL,             -- IANA name
    is_live    bool NOT NULL,             -- its source runs; lanes without a source always are
    claimed_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Up to here none waits, as the claim has seen it: rows that have left lie in the index until it is vacuumed, and would
    -- be walked over each time. A row may come in behind this, so it looks from the start again once a minute.
    passed_at  timestamptz NOT NULL DEFAULT '-infinity',
    passed_id  int8 NOT NULL DEFAULT 0,
    walked_at  timestamptz NOT NULL DEFAULT '-infinity',
    CHECK (timezone(zone, '2026-01-01 00:00+00'::timestamptz) IS NOT NULL),   -- one that isn't there stops a whole claim
    CHECK (source_id IS NOT NULL OR device_no IS NOT NULL),
    UNIQUE NULLS NOT DISTINCT (source_id, device_no, zone)
) WITH (fillfactor = 70);
CREATE INDEX lanes_by_device ON lanes (device_no, is_live);

-- A lane is live when its source runs. Who makes one waits for whoever changes the source's state, and the other way round,
-- so that no lane is left behind by it.
CREATE FUNCTION lane_is_live() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT state = 'running' INTO NEW.is_live FROM sources WHERE id = NEW.source_id FOR SHARE;
    RETURN NEW;
END
$$;
CREATE TRIGGER lane_is_live BEFORE INSERT ON lanes
    FOR EACH ROW WHEN (NEW.source_id IS NOT NULL) EXECUTE FUNCTION lane_is_live();

-- A row of a source has no device while it is in the pool, or when its device was deleted. It carries no foreign keys to source, lane, lead and enrolment:
-- a million rows are planned at once, and each check costs 5 us.
ALTER TABLE outbox
    ADD COLUMN source_id    int8,
    ADD COLUMN lane_id      int8,
    ADD COLUMN lead_id      int8,
    ADD COLUMN enrolment_id int8,
    ADD COLUMN cause        text,         -- of failed and cancelled: what kind of reason, for counting ('opted_out', …)
    ADD COLUMN replied_at   timestamptz,  -- the person wrote after it
    ALTER COLUMN device_no DROP NOT NULL,
    -- what a source sent stays when the device goes; the rest goes with it
    DROP CONSTRAINT outbox_device_no_fkey,
    ADD CONSTRAINT outbox_device_no_fkey FOREIGN KEY (device_no) REFERENCES devices (no) ON DELETE SET NULL,
    ADD CONSTRAINT outbox_device_check CHECK (device_no IS NOT NULL OR (source_id IS NOT NULL AND state <> 'sending')),
    -- a source's row takes its file when it is due
    DROP CONSTRAINT outbox_file_check,
    ADD CONSTRAINT outbox_file_check CHECK
        (kind IN ('text', 'reaction', 'edit', 'delete') OR media_sha256 IS NOT NULL OR source_id IS NOT NULL);

-- Each person once: of a campaign by the number, of a step by the enrolment.
CREATE UNIQUE INDEX outbox_once_a_campaign ON outbox (source_id, to_jid) WHERE source_id IS NOT NULL AND enrolment_id IS NULL;
CREATE UNIQUE INDEX outbox_once_a_step ON outbox (enrolment_id, source_id) WHERE enrolment_id IS NOT NULL;
CREATE INDEX outbox_of_lane ON outbox (lane_id, not_before, id) WHERE state = 'queued';
CREATE INDEX outbox_of_lead ON outbox (lead_id, id DESC) WHERE lead_id IS NOT NULL;
CREATE INDEX outbox_expiring ON outbox (expires_at) WHERE state = 'queued' AND expires_at IS NOT NULL;
-- Paced rows have lanes; replies are few, and need none.
DROP INDEX outbox_due;
CREATE INDEX outbox_replies ON outbox (device_no, not_before, id) WHERE state = 'queued' AND priority = 'reply';

-- People who want nothing more of campaigns and sequences.
CREATE TABLE suppressions (
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    phone      text NOT NULL CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
    reason     text NOT NULL,             -- 'replied STOP', 'imported', 'by a person'
    created_by text NOT NULL,             -- 'lead', 'user:7', 'key:3', 'import:…'
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, phone)
);
CREATE INDEX suppressions_by_age ON suppressions (tenant_id, created_at DESC, phone);

-- What a tenant wants of its sends.
ALTER TABLE tenants
    ADD COLUMN region            text NOT NULL DEFAULT 'MY',   -- of numbers written without a country code
    ADD COLUMN time_zone         text NOT NULL DEFAULT 'Asia/Kuala_Lumpur',
    ADD COLUMN opt_out_words     text[] NOT NULL DEFAULT '{stop,berhenti,unsubscribe}',  -- trimmed and casefolded
    ADD COLUMN opt_out_answer    text NOT NULL DEFAULT 'You will get no more of these messages.';

-- The one bucket a row of a source is in.
CREATE FUNCTION outbox_bucket(state text, cause text, replied_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN replied_at IS NOT NULL AND state IN ('sent', 'delivered', 'read') THEN 'replied'
         WHEN state IN ('queued', 'sending') THEN 'waiting'
         WHEN state = 'cancelled' AND cause = 'opted_out' THEN 'opted_out'
         ELSE state END;

-- How many rows of each source are in each bucket, at each device: sums of what was added and taken. Every statement that
-- moves rows adds here, in its own transaction; nobody waits for anybody, as rows are only put in. Now and then they are
-- summed up to one row each (outbox/counts.py).
CREATE TABLE source_counts (
    source_id int8 NOT NULL,              -- no foreign key: all senders would lock the source's row, each time
    device_no int4,
    bucket    text NOT NULL,
    cause     text,
    n         int8 NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX source_counts_by_source ON source_counts (source_id);

CREATE FUNCTION count_rows_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
    SELECT source_id, device_no, outbox_bucket(state, cause, replied_at), CASE WHEN state = 'failed' THEN cause END, count(*)
    FROM added WHERE source_id IS NOT NULL GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$;
CREATE FUNCTION count_rows_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
    SELECT source_id, device_no, bucket, cause, sum(n) FROM (
        SELECT source_id, device_no, outbox_bucket(state, cause, replied_at) AS bucket,
               CASE WHEN state = 'failed' THEN cause END AS cause, 1 AS n
        FROM moved_to WHERE source_id IS NOT NULL
        UNION ALL
        SELECT source_id, device_no, outbox_bucket(state, cause, replied_at), CASE WHEN state = 'failed' THEN cause END, -1
        FROM moved_from WHERE source_id IS NOT NULL
    ) steps GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    RETURN NULL;
END
$$;
CREATE FUNCTION count_rows_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
    SELECT source_id, device_no, outbox_bucket(state, cause, replied_at), CASE WHEN state = 'failed' THEN cause END, -count(*)
    FROM gone WHERE source_id IS NOT NULL GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_added AFTER INSERT ON outbox REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_rows_added();
CREATE TRIGGER count_moved AFTER UPDATE ON outbox REFERENCING OLD TABLE AS moved_from NEW TABLE AS moved_to
    FOR EACH STATEMENT EXECUTE FUNCTION count_rows_moved();
CREATE TRIGGER count_gone AFTER DELETE ON outbox REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_rows_gone();

-- The one view every screen reads: a source's rows by device, bucket and cause of failure.
CREATE VIEW source_buckets AS
SELECT source_id, device_no, bucket, cause, sum(n)::int8 AS n
FROM source_counts GROUP BY source_id, device_no, bucket, cause HAVING sum(n) <> 0;

-- The parts of an hour or a day in which sends are counted.
CREATE FUNCTION slot_of(at timestamptz, seconds int4) RETURNS int8 LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    floor(extract(epoch FROM at) / seconds)::int8;

-- The counts once `sends` more have left in slot `slot`.
CREATE FUNCTION sends_counted(counts int4[], last_slot int8, slot int8, sends int4, kept int4) RETURNS int4[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN slot <= last_slot AND counts <> '{}' THEN ARRAY[counts[1] + sends] || counts[2:kept]
         ELSE (ARRAY[sends] || array_fill(0, ARRAY[least(greatest(slot - last_slot - 1, 0), kept)::int4]) || counts)[1:kept] END;

-- From when on fewer than `cap` are in the last `kept` slots; '-infinity' when so many never were.
CREATE FUNCTION cap_until(counts int4[], last_slot int8, seconds int4, kept int4, cap int4) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    sends int4 := 0;
BEGIN
    FOR i IN 1 .. coalesce(array_length(counts, 1), 0) LOOP
        sends := sends + counts[i];
        IF sends >= cap THEN
            RETURN to_timestamp((last_slot - i + 1 + kept) * seconds);
        END IF;
    END LOOP;
    RETURN '-infinity';
END
$$;

-- How many of them are in the last `kept` slots, seen from slot `slot`.
CREATE FUNCTION sends_within(counts int4[], last_slot int8, slot int8, kept int4) RETURNS int4
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(sum(n), 0)::int4 FROM unnest(counts[1:greatest(0, kept - (slot - last_slot))::int4]) n
$$;

-- What a day may have: a device paired lately begins with 20, and has all of per_day after 14 days, growing by the same
-- factor each day (20, 27, 35, 47, … for 800).
CREATE FUNCTION day_cap(per_day int4, ramp bool, paired_at timestamptz, at timestamptz) RETURNS int4
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN NOT ramp OR per_day <= 20 OR paired_at IS NULL OR at >= paired_at + interval '312 hours' THEN per_day
         ELSE least(per_day, round(20 * power(per_day / 20.0::float8,
              greatest(0, floor(extract(epoch FROM at - paired_at) / 86400)::float8) / 13)))::int4 END;

-- Working hours where the person lives, as in outbox/hours.py: a window over midnight belongs to the day it opens on.
CREATE FUNCTION is_open_there(opens time, closes time, days int2, zone text, at timestamptz) RETURNS bool
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    local timestamp;
    today bool;
BEGIN
    local := at AT TIME ZONE zone;
    today := days >> (extract(isodow FROM local)::int4 - 1) & 1 = 1;
    IF opens IS NULL THEN
        RETURN today;
    ELSIF opens < closes THEN
        RETURN today AND local::time >= opens AND local::time < closes;
    END IF;
    RETURN today AND local::time >= opens
        OR local::time < closes AND days >> ((extract(isodow FROM local)::int4 + 5) % 7) & 1 = 1;
END
$$;

-- Most have no hours: that is seen without a call.
CREATE FUNCTION is_open(opens time, closes time, days int2, zone text, at timestamptz) RETURNS bool
LANGUAGE sql STABLE PARALLEL SAFE RETURN opens IS NULL AND days = 127 OR is_open_there(opens, closes, days, zone, at);

-- The first instant from `at` on when it is open. What opens a window is its start, or clocks that are changed: they are
-- at a whole half hour, and a time that is shown twice or never is within an hour of it.
CREATE FUNCTION next_open(opens time, closes time, days int2, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    IF is_open(opens, closes, days, zone, at) THEN
        RETURN at;
    END IF;
    RETURN (
        SELECT min(candidate)
        FROM generate_series(-1, 8) day
        CROSS JOIN (VALUES (coalesce(opens, '00:00')), (coalesce(closes, '00:00'))) bound (clock)
        CROSS JOIN LATERAL (SELECT ((at AT TIME ZONE zone)::date + day + clock) AT TIME ZONE zone AS start) known
        CROSS JOIN LATERAL (VALUES (start), (start - interval '30 minutes'), (start - interval '1 hour'),
                                   (date_bin('30 minutes', start, '2001-01-01 00:00+00')),
                                   (date_bin('30 minutes', start, '2001-01-01 00:00+00') - interval '30 minutes')) near (candidate)
        WHERE candidate >= at AND is_open(opens, closes, days, zone, candidate));
END
$$;

-- The clock of a device, for all that leaves from it. When the last paced message left; and the draw, 0 to 1, of the gap after
-- it, made once a send, so that everybody sees the same instant. How much left in each of the last 13 five minutes and 25 hours,
-- the newest first; _slot is the number of that since 1970. So no hour and no day has more than its cap, wherever it begins.
ALTER TABLE devices RENAME next_send_at TO last_paced_at;
ALTER TABLE devices
    ADD COLUMN gap_draw    real NOT NULL DEFAULT 0 CHECK (gap_draw BETWEEN 0 AND 1),
    ADD COLUMN hour_sends  int4[] NOT NULL DEFAULT '{}',
    ADD COLUMN hour_slot   int8 NOT NULL DEFAULT 0,
    ADD COLUMN day_sends   int4[] NOT NULL DEFAULT '{}',
    ADD COLUMN day_slot    int8 NOT NULL DEFAULT 0,
    -- no paced message leaves between these, where the person lives
    ADD COLUMN quiet_from  time,
    ADD COLUMN quiet_until time,
    ADD CONSTRAINT devices_quiet_check CHECK ((quiet_from IS NULL) = (quiet_until IS NULL) AND quiet_from <> quiet_until);
UPDATE devices SET last_paced_at = least(last_paced_at, now()),
    hour_sends = ARRAY[hour_count], hour_slot = slot_of(hour_start, 300), day_sends = ARRAY[day_count], day_slot = slot_of(day_start, 3600)
WHERE hour_start > '-infinity';
ALTER TABLE devices DROP COLUMN hour_start, DROP COLUMN hour_count, DROP COLUMN day_start, DROP COLUMN day_count;

-- When the next of those days begins.
CREATE FUNCTION ramp_step(paired_at timestamptz, at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    paired_at + interval '1 day' * (1 + floor(extract(epoch FROM at - paired_at) / 86400));

-- From when on a device's caps, and what WhatsApp has told it to wait, let another paced message leave.
CREATE FUNCTION free_at(d devices, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE RETURN
    greatest(d.paused_until,
             cap_until(d.hour_sends, d.hour_slot, 300, 13, d.per_hour),
             cap_until(d.day_sends, d.day_slot, 3600, 25, d.per_day),
             least(cap_until(d.day_sends, d.day_slot, 3600, 25, day_cap(d.per_day, d.ramp, d.paired_at, at)),
                   ramp_step(d.paired_at, at)));

-- The gap before the next paced message, in [min, max] of the device and of the source, whichever is longer.
CREATE FUNCTION gap_before(d devices, s sources) RETURNS interval LANGUAGE sql STABLE PARALLEL SAFE RETURN
    make_interval(secs => greatest(d.min_seconds, s.min_seconds) + d.gap_draw
        * (greatest(d.max_seconds, s.max_seconds) - greatest(d.min_seconds, s.min_seconds)));

-- The same for the hours of a source and the quiet hours of a device together; NULL: never in ten days.
CREATE FUNCTION next_open_there(d devices, s sources, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    found timestamptz := at;
    of_source timestamptz;
BEGIN
    WHILE found < at + interval '10 days' LOOP
        of_source := next_open(s.opens, s.closes, coalesce(s.days, 127::int2), zone, found);
        found := next_open(d.quiet_until, d.quiet_from, 127::int2, zone, of_source);
        IF found = of_source THEN
            RETURN found;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION next_open(d devices, s sources, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE RETURN
    CASE WHEN d.quiet_from IS NULL AND s.opens IS NULL AND coalesce(s.days, 127) = 127 THEN at
         ELSE next_open_there(d, s, zone, at) END;

-- Paced sends that waited before there were lanes.
INSERT INTO lanes (tenant_id, device_no, zone, is_live)
SELECT DISTINCT o.tenant_id, o.device_no, t.time_zone, true FROM outbox o JOIN tenants t ON t.id = o.tenant_id WHERE o.priority = 'paced';
UPDATE outbox o SET lane_id = n.id FROM lanes n WHERE o.priority = 'paced' AND n.device_no = o.device_no AND n.source_id IS NULL;
ALTER TABLE outbox ADD CONSTRAINT outbox_lane_check CHECK (lane_id IS NOT NULL OR priority = 'reply' OR state <> 'queued');
