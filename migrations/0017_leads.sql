-- Persons to write to.

CREATE TABLE leads (
    id            int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    phone         text NOT NULL CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),   -- E.164
    name          text NOT NULL DEFAULT '',
    tags          text[] NOT NULL DEFAULT '{}',   -- trimmed and casefolded, in order, none twice (leads/tags.py)
    target_status text NOT NULL DEFAULT 'prospect' CHECK (target_status IN ('prospect', 'customer')),
    device_no     int4 REFERENCES devices (no) ON DELETE SET NULL,        -- who writes to it; NULL: nobody yet
    fields        jsonb NOT NULL DEFAULT '{}',    -- what else is known, by name: texts
    zone          text NOT NULL,                  -- IANA name, from the number's country
    replied_at    timestamptz,                    -- when it last wrote to any device
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, phone)
);
CREATE INDEX leads_by_tenant ON leads (tenant_id, id DESC);
CREATE INDEX leads_by_device ON leads (device_no);
CREATE INDEX leads_by_tag ON leads USING gin (tags) WITH (fastupdate = off);

-- Which leads of a tenant a filter means: the one reading of it, for lists, counts, bulk edits and audiences. Members of the
-- filter, each may be missing: tags (all of them) · any_tags · no_tags · target_status · device_ids (public ids) ·
-- has_device (bool) · search (in name and number) · replied (bool) · quiet_days (nothing from it for so many days) ·
-- is_suppressed (bool) · created_after, created_before (instants).
CREATE FUNCTION leads_matching(of_tenant int4, filter jsonb) RETURNS SETOF leads LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT l.* FROM leads l
    WHERE l.tenant_id = of_tenant
      AND (NOT filter ? 'tags' OR l.tags @> ARRAY(SELECT jsonb_array_elements_text(filter -> 'tags')))
      AND (NOT filter ? 'any_tags' OR l.tags && ARRAY(SELECT jsonb_array_elements_text(filter -> 'any_tags')))
      AND (NOT filter ? 'no_tags' OR NOT l.tags && ARRAY(SELECT jsonb_array_elements_text(filter -> 'no_tags')))
      AND (NOT filter ? 'target_status' OR l.target_status = filter ->> 'target_status')
      AND (NOT filter ? 'device_ids' OR l.device_no IN (
              SELECT d.no FROM devices d WHERE d.tenant_id = of_tenant
              AND d.id IN (SELECT jsonb_array_elements_text(filter -> 'device_ids')::uuid)))
      AND (NOT filter ? 'has_device' OR (l.device_no IS NOT NULL) = (filter ->> 'has_device')::bool)
      AND (NOT filter ? 'search' OR strpos(lower(l.name), lower(filter ->> 'search')) > 0
           OR strpos(l.phone, regexp_replace(filter ->> 'search', '[^0-9]', '', 'g')) > 1
              AND filter ->> 'search' ~ '^[-+() 0-9]{3,}$')
      AND (NOT filter ? 'replied' OR (l.replied_at IS NOT NULL) = (filter ->> 'replied')::bool)
      AND (NOT filter ? 'quiet_days' OR coalesce(l.replied_at, '-infinity')
              < now() - make_interval(days => (filter ->> 'quiet_days')::int4))
      AND (NOT filter ? 'is_suppressed' OR EXISTS (
              SELECT FROM suppressions s WHERE s.tenant_id = of_tenant AND s.phone = l.phone)
           = (filter ->> 'is_suppressed')::bool)
      AND (NOT filter ? 'created_after' OR l.created_at >= (filter ->> 'created_after')::timestamptz)
      AND (NOT filter ? 'created_before' OR l.created_at < (filter ->> 'created_before')::timestamptz)
$$;
