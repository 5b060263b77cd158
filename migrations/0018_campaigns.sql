-- One message to an audience at a time.

CREATE TABLE campaigns (
    id          int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    source_id   int8 NOT NULL UNIQUE REFERENCES sources,
    name        text NOT NULL CHECK (name <> ''),
    audience    jsonb NOT NULL,           -- a filter of leads_matching()
    -- the schedule as a person wrote it, and the instant that is
    on_date     date,
    at_time     time,
    zone        text,
    starts_at   timestamptz,
    expires_at  timestamptz,              -- what has not left by then does not leave
    -- what a person decided; whether it is done is said by its rows (campaigns_shown)
    state       text NOT NULL DEFAULT 'draft' CHECK (state IN
                ('draft', 'scheduled', 'planning', 'running', 'paused', 'cancelled')),
    reason      text,
    -- devices its people without one are given to; NULL: every online device of the tenant
    device_ids  uuid[],
    -- while it is planned: rows to come, and where the numbers of the outbox stood (they grow before the commit)
    plan_size   int8,
    plan_from   int8,
    planned     int8,                     -- rows put in
    planned_at  timestamptz,
    ended_at    timestamptz,              -- nothing of it waits any more; noted a moment later
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,
    CHECK (num_nulls(on_date, at_time, zone) IN (0, 3)),
    CHECK (state <> 'scheduled' OR starts_at IS NOT NULL),
    CHECK ((planned IS NULL) = (planned_at IS NULL))
);
CREATE INDEX campaigns_by_tenant ON campaigns (tenant_id, id DESC);
CREATE INDEX campaigns_to_begin ON campaigns (starts_at) WHERE state IN ('scheduled', 'planning');
-- those with rows that may still move: open ones, and ended ones whose receipts come in
CREATE INDEX campaigns_that_move ON campaigns (coalesce(ended_at, 'infinity')) WHERE planned_at IS NOT NULL;

-- What a person sees of a campaign: its message and pace, and how many of its rows are in each bucket, all of one
-- snapshot. What a cancelled one still holds counts as cancelled from the first instant.
CREATE VIEW campaigns_shown AS
SELECT c.id, c.tenant_id, c.source_id, c.name, c.audience, c.on_date, c.at_time, c.zone, c.starts_at, c.expires_at,
       CASE WHEN c.state IN ('running', 'paused') AND b.waiting = 0 THEN 'finished' ELSE c.state END AS state,
       c.reason, c.device_ids, c.plan_size, c.plan_from, c.planned, c.planned_at, c.ended_at,
       c.created_by, c.created_at, c.deleted_at,
       s.kind, s.template, s.media_sha256, m.mime AS media_mime, s.file_name, s.min_seconds, s.max_seconds,
       s.opens, s.closes, s.days, s.may_move,
       b.total, CASE WHEN c.state = 'cancelled' THEN 0 ELSE b.waiting END AS waiting,
       b.sent, b.delivered, b.read, b.replied, b.failed, b.unknown, b.expired, b.opted_out,
       CASE WHEN c.state = 'cancelled' THEN b.cancelled + b.waiting ELSE b.cancelled END AS cancelled
FROM campaigns c
JOIN sources s ON s.id = c.source_id
LEFT JOIN media m ON m.tenant_id = c.tenant_id AND m.sha256 = s.media_sha256
CROSS JOIN LATERAL (
    SELECT coalesce(sum(n), 0)::int8 AS total,
           coalesce(sum(n) FILTER (WHERE bucket = 'waiting'), 0)::int8 AS waiting,
           coalesce(sum(n) FILTER (WHERE bucket = 'sent'), 0)::int8 AS sent,
           coalesce(sum(n) FILTER (WHERE bucket = 'delivered'), 0)::int8 AS delivered,
           coalesce(sum(n) FILTER (WHERE bucket = 'read'), 0)::int8 AS read,
           coalesce(sum(n) FILTER (WHERE bucket = 'replied'), 0)::int8 AS replied,
           coalesce(sum(n) FILTER (WHERE bucket = 'failed'), 0)::int8 AS failed,
           coalesce(sum(n) FILTER (WHERE bucket = 'unknown'), 0)::int8 AS unknown,
           coalesce(sum(n) FILTER (WHERE bucket = 'expired'), 0)::int8 AS expired,
           coalesce(sum(n) FILTER (WHERE bucket = 'opted_out'), 0)::int8 AS opted_out,
           coalesce(sum(n) FILTER (WHERE bucket = 'cancelled'), 0)::int8 AS cancelled
    FROM source_buckets WHERE source_id = c.source_id
) b;

-- The people a campaign goes to: whom its audience means, without those who want nothing more. The one reading of it,
-- so that what is previewed is what is planned.
CREATE FUNCTION campaign_audience(of_tenant int4, audience jsonb)
RETURNS TABLE (lead_id int8, phone text, device_no int4, zone text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT l.id, l.phone, l.device_no, l.zone FROM leads_matching(of_tenant, audience) l
    WHERE NOT EXISTS (SELECT FROM suppressions s WHERE s.tenant_id = of_tenant AND s.phone = l.phone)
$$;
