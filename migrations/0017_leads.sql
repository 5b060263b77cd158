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

-- What a lead is found by: the words of its name, and its number's digits from both ends.
-- Its cost keeps the planner from reading a million names for a word that few have.
CREATE FUNCTION lead_lexemes(name text, phone text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
BEGIN
    RETURN array_to_tsvector(array_remove(regexp_split_to_array(lower(left(name, 200)), '[^[:alnum:]]+'), '')
                             || substr(phone, 2) || ('r' || reverse(substr(phone, 2))));
END
$$;
-- Every word of a search begins a word of the name; digits begin or end the number.
CREATE FUNCTION lead_query(search text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN search ~ '^[-+() 0-9]*[0-9][-+() 0-9]*$' THEN
        ('''' || regexp_replace(search, '[^0-9]', '', 'g') || ''':* | ''r'
         || reverse(regexp_replace(search, '[^0-9]', '', 'g')) || ''':*')::tsquery
    ELSE ('''' || array_to_string(array_remove(regexp_split_to_array(lower(left(search, 200)), '[^[:alnum:]]+'), ''),
                                  ''':* & ''') || ''':*')::tsquery END;

CREATE INDEX leads_by_tenant ON leads (tenant_id, id DESC);
CREATE INDEX leads_by_device ON leads (device_no, id DESC);
CREATE INDEX leads_by_tag ON leads USING gin (tags);
CREATE INDEX leads_by_word ON leads USING gin (lead_lexemes(name, phone));

-- Devices that public ids name, as numbers.
CREATE FUNCTION device_numbers(of_tenant int4, ids jsonb) RETURNS int4[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(d.no), '{}') FROM devices d
    WHERE d.tenant_id = of_tenant AND d.id IN (SELECT jsonb_array_elements_text(ids)::uuid)
$$;
CREATE FUNCTION texts_of(list jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(one) FROM jsonb_array_elements_text(list) one
$$;
CREATE FUNCTION suppressed_phones(of_tenant int4) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(phone), '{}') FROM suppressions WHERE tenant_id = of_tenant
$$;

-- Which leads of a tenant a filter means: the one reading of it, for lists, counts, bulk edits and audiences. Members of the
-- filter, each may be missing: tags (all of them) · any_tags · no_tags · target_status · device_ids (public ids) ·
-- has_device (bool) · search (words of the name, begin or end of the number) · fields (by name, equal) · replied (bool) ·
-- quiet_days (nothing from it for so many days) · is_suppressed (bool) · created_after, created_before (instants) ·
-- within (public ids: only leads of these devices and of none).
-- PostgreSQL puts its text in the place of the call. With the filter known when the plan is made (plan_cache_mode =
-- force_custom_plan) only the members that are there are left of it, and the indexes serve them.
CREATE FUNCTION leads_matching(of_tenant int4, filter jsonb) RETURNS SETOF leads LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT l.* FROM leads l
    WHERE l.tenant_id = of_tenant
      AND (NOT filter ? 'tags' OR l.tags @> texts_of(filter -> 'tags'))
      AND (NOT filter ? 'any_tags' OR l.tags && texts_of(filter -> 'any_tags'))
      AND (NOT filter ? 'no_tags' OR NOT l.tags && texts_of(filter -> 'no_tags'))
      AND (NOT filter ? 'target_status' OR l.target_status = filter ->> 'target_status')
      AND (NOT filter ? 'device_ids' OR l.device_no = ANY ((SELECT device_numbers(of_tenant, filter -> 'device_ids'))::int4[]))
      AND (NOT filter ? 'has_device' OR (l.device_no IS NOT NULL) = (filter ->> 'has_device')::bool)
      AND (NOT filter ? 'search' OR lead_lexemes(l.name, l.phone) @@ lead_query(filter ->> 'search'))
      AND (NOT filter ? 'fields' OR l.fields @> (filter -> 'fields'))
      AND (NOT filter ? 'replied' OR (l.replied_at IS NOT NULL) = (filter ->> 'replied')::bool)
      AND (NOT filter ? 'quiet_days' OR coalesce(l.replied_at, '-infinity')
              < now() - make_interval(days => (filter ->> 'quiet_days')::int4))
      AND (filter -> 'is_suppressed' IS DISTINCT FROM 'true' OR l.phone = ANY ((SELECT suppressed_phones(of_tenant))::text[]))
      AND (filter -> 'is_suppressed' IS DISTINCT FROM 'false'
           OR l.phone NOT IN (SELECT s.phone FROM suppressions s WHERE s.tenant_id = of_tenant))
      AND (NOT filter ? 'created_after' OR l.created_at >= (filter ->> 'created_after')::timestamptz)
      AND (NOT filter ? 'created_before' OR l.created_at < (filter ->> 'created_before')::timestamptz)
      AND (NOT filter ? 'within' OR l.device_no IS NULL
           OR l.device_no = ANY ((SELECT device_numbers(of_tenant, filter -> 'within'))::int4[]))
$$;

-- Tags and fields that leads have or had, to choose from.
CREATE TABLE lead_terms (
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    kind      text NOT NULL CHECK (kind IN ('tag', 'field')),
    term      text NOT NULL,
    PRIMARY KEY (tenant_id, kind, term)
);

CREATE TABLE lead_notes (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    lead_id    int8 NOT NULL REFERENCES leads ON DELETE CASCADE,
    created_by text NOT NULL,             -- 'user:7', 'key:3'
    author     text NOT NULL,             -- his name then
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX lead_notes_by_lead ON lead_notes (lead_id, id DESC);

-- Filters with a name.
CREATE TABLE segments (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    name       text NOT NULL CHECK (name <> ''),
    filter     jsonb NOT NULL,            -- of leads_matching()
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX segments_by_name ON segments (tenant_id, lower(name));

-- A file of leads on its way in. Nothing of it is applied before the one transaction that applies it all and makes it
-- 'done': whatever is killed, it starts again.
CREATE TABLE imports (
    id          int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('leads', 'suppressions')),
    file_name   text NOT NULL,
    size        int8 NOT NULL,            -- bytes
    -- ready and checked wait for a person; reading, checking and running are work to do
    state       text NOT NULL DEFAULT 'reading' CHECK (state IN
                ('reading', 'ready', 'checking', 'checked', 'running', 'done', 'failed', 'cancelled')),
    reason      text,                     -- of failed
    attempts    int4 NOT NULL DEFAULT 0,  -- of what it is to do now
    shape       jsonb,                    -- how the file is read (leads/files.py)
    mapping     jsonb,                    -- for each column what it is (leads/columns.py)
    options     jsonb NOT NULL,           -- what is done with its rows (leads/imports.py)
    rows        int8,                     -- of the file, when it was read to its end
    read        int8 NOT NULL DEFAULT 0,  -- so far
    written     int8 NOT NULL DEFAULT 0,
    counts      jsonb,                    -- {new, changed, unchanged, doubles, errors}, they sum to rows
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz
);
CREATE INDEX imports_by_tenant ON imports (tenant_id, id DESC);
CREATE INDEX imports_to_do ON imports (id) WHERE state IN ('reading', 'checking', 'running');

-- The file itself, until it is done with.
CREATE TABLE import_pieces (
    import_id int8 NOT NULL REFERENCES imports ON DELETE CASCADE,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    place     int4 NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (import_id, place)
);

-- Rows of the file that were not taken, and why: the first hundred thousand.
CREATE TABLE import_problems (
    import_id int8 NOT NULL REFERENCES imports ON DELETE CASCADE,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    line      int8 NOT NULL,              -- row of the file, from 1
    is_double bool NOT NULL,
    value     text NOT NULL,
    reason    text NOT NULL
);
CREATE INDEX import_problems_in_order ON import_problems (import_id, line);
