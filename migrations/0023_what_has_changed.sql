-- What grows with a tenant costs what has changed of it.

-- Sequences whose steps were edited, until everybody on the way in them follows (sequences/edits.py).
CREATE TABLE sequence_edits (
    sequence_id int8 PRIMARY KEY REFERENCES sequences ON DELETE CASCADE,
    tenant_id   int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    after_id    int8 NOT NULL DEFAULT 0,  -- enrolments up to this one follow:
    followed    int8 NOT NULL DEFAULT 0,  -- so many
    people      int8,                     -- of so many, once they are counted
    looked_at   timestamptz NOT NULL DEFAULT now()   -- they take turns
);

-- Whether who waits for a step waits as it says now; nothing of it leaves until then.
ALTER TABLE sequence_steps ADD COLUMN is_followed bool NOT NULL DEFAULT true;

-- What the rows of source_counts come to, once they are summed up and gone (outbox/counts.py).
CREATE TABLE source_sums (
    source_id int8 NOT NULL REFERENCES sources ON DELETE CASCADE,
    device_no int4,
    bucket    text NOT NULL,
    cause     text,
    n         int8 NOT NULL,
    UNIQUE NULLS NOT DISTINCT (source_id, device_no, bucket, cause)
) WITH (fillfactor = 70);
INSERT INTO source_sums (source_id, device_no, bucket, cause, n)
SELECT source_id, device_no, bucket, cause, sum(n) FROM source_counts JOIN sources s ON s.id = source_id
GROUP BY source_id, device_no, bucket, cause HAVING sum(n) <> 0;
TRUNCATE source_counts;
CREATE OR REPLACE VIEW source_buckets AS
SELECT source_id, device_no, bucket, cause, sum(n)::int8 AS n
FROM (SELECT source_id, device_no, bucket, cause, n FROM source_sums
      UNION ALL SELECT source_id, device_no, bucket, cause, n FROM source_counts) counted
GROUP BY source_id, device_no, bucket, cause HAVING sum(n) <> 0;

-- How many leads each device has, in the same way: what was added and taken, and what it came to (distribution/lines.py).
CREATE TABLE lead_counts (
    tenant_id int4 NOT NULL,
    device_no int4 NOT NULL,
    n         int8 NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX lead_counts_by_device ON lead_counts (device_no);
CREATE TABLE lead_sums (
    device_no int4 PRIMARY KEY REFERENCES devices (no) ON DELETE CASCADE,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    n         int8 NOT NULL
);
INSERT INTO lead_sums (device_no, tenant_id, n)
SELECT device_no, tenant_id, count(*) FROM leads WHERE device_no IS NOT NULL GROUP BY device_no, tenant_id;

CREATE FUNCTION count_leads_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lead_counts (tenant_id, device_no, n)
    SELECT tenant_id, device_no, count(*) FROM added WHERE device_no IS NOT NULL GROUP BY tenant_id, device_no;
    RETURN NULL;
END
$$;
CREATE FUNCTION count_leads_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lead_counts (tenant_id, device_no, n)
    SELECT tenant_id, device_no, sum(n) FROM (
        SELECT tenant_id, device_no, 1 AS n FROM moved_to UNION ALL SELECT tenant_id, device_no, -1 FROM moved_from
    ) steps WHERE device_no IS NOT NULL GROUP BY tenant_id, device_no HAVING sum(n) <> 0;
    RETURN NULL;
END
$$;
CREATE FUNCTION count_leads_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lead_counts (tenant_id, device_no, n)
    SELECT tenant_id, device_no, -count(*) FROM gone WHERE device_no IS NOT NULL GROUP BY tenant_id, device_no;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_added AFTER INSERT ON leads REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_leads_added();
CREATE TRIGGER count_moved AFTER UPDATE ON leads REFERENCING OLD TABLE AS moved_from NEW TABLE AS moved_to
    FOR EACH STATEMENT EXECUTE FUNCTION count_leads_moved();
CREATE TRIGGER count_gone AFTER DELETE ON leads REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_leads_gone();
CREATE VIEW leads_of_devices AS
SELECT device_no, sum(n)::int8 AS n
FROM (SELECT device_no, n FROM lead_sums UNION ALL SELECT device_no, n FROM lead_counts) counted GROUP BY device_no;
