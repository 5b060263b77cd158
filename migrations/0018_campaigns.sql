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
    planned     int8,                     -- rows put in
    planned_at  timestamptz,
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,
    CHECK (num_nulls(on_date, at_time, zone) IN (0, 3)),
    CHECK (state <> 'scheduled' OR starts_at IS NOT NULL),
    CHECK ((planned IS NULL) = (planned_at IS NULL))
);
CREATE INDEX campaigns_by_tenant ON campaigns (tenant_id, id DESC);
CREATE INDEX campaigns_to_begin ON campaigns (starts_at) WHERE state IN ('scheduled', 'planning');
