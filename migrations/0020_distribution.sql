-- Who writes to whom: rows in the pool and people without a device are given to devices, and every decision is kept.

ALTER TABLE sources
    -- devices its rows without one are given to; NULL: every online device of the tenant
    ADD COLUMN device_ids uuid[];

-- Of the pool: why its rows wait there, as distribution found when it last looked.
ALTER TABLE lanes
    ADD COLUMN left_reason text;
CREATE INDEX lanes_of_pool ON lanes (tenant_id) WHERE device_no IS NULL AND is_live;

-- Who knows a person: which devices have a chat with it.
CREATE INDEX chats_by_person ON chats (tenant_id, jid) WHERE NOT is_group;

-- Which of some devices knows a person best: one that has a chat with it, or else wrote to it last.
CREATE FUNCTION knows_person(of_tenant int4, of_lead int8, phone text, among int4[])
RETURNS TABLE (device_no int4, code text) LANGUAGE sql STABLE AS $$
    SELECT k.device_no, k.code FROM (
        (SELECT c.device_no, 'chat' AS code, 1 AS place FROM chats c
         WHERE c.tenant_id = of_tenant AND c.jid = substr(phone, 2) || '@s.whatsapp.net' AND NOT c.is_group
           AND c.last_key IS NOT NULL AND c.device_no = ANY (among)
         ORDER BY c.last_key DESC LIMIT 1)
        UNION ALL
        (SELECT o.device_no, 'wrote', 2 FROM outbox o
         WHERE o.lead_id = of_lead AND o.state IN ('sent', 'delivered', 'read') AND o.device_no = ANY (among)
         ORDER BY o.id DESC LIMIT 1)
    ) k ORDER BY k.place LIMIT 1
$$;

-- People without a device, spread over chosen ones as somebody asked for. Done in steps; each share is what was promised.
CREATE TABLE distributions (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    filter     jsonb NOT NULL,            -- of leads_matching()
    state      text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'undoing', 'undone')),
    people     int4 NOT NULL,             -- that fitted; of them so many found no room:
    left_over  int4 NOT NULL,
    left_reason text,
    -- how far its steps, or those of its undoing, are: a lead, or a decision
    last_id    int8 NOT NULL DEFAULT 9223372036854775807,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CHECK ((state IN ('done', 'undone')) = (ended_at IS NOT NULL))
);
CREATE INDEX distributions_by_tenant ON distributions (tenant_id, id DESC);
CREATE INDEX distributions_open ON distributions (id) WHERE ended_at IS NULL;

-- Apart for people a device knows, so that others don't take their places.
CREATE TABLE distribution_shares (
    distribution_id int8 NOT NULL REFERENCES distributions ON DELETE CASCADE,
    tenant_id       int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no       int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    is_known        bool NOT NULL,
    planned         int4 NOT NULL CHECK (planned >= 0),
    given           int4 NOT NULL DEFAULT 0,
    reason          text NOT NULL,        -- how the device stood
    PRIMARY KEY (distribution_id, device_no, is_known)
);
CREATE INDEX distribution_shares_by_device ON distribution_shares (device_no);

-- Every decision: which person, or which row of the outbox, went to which device, and why.
CREATE TABLE distribution_decisions (
    id              int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id       int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    lead_id         int8,
    outbox_id       int8,                 -- NULL: of the person alone
    distribution_id int8,                 -- NULL: of a row that waited in the pool
    device_no       int4 REFERENCES devices (no) ON DELETE CASCADE,   -- NULL: back to the pool
    code            text NOT NULL CHECK (code IN ('own', 'chat', 'wrote', 'room', 'returned', 'replaced')),
    reason          text NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX distribution_decisions_by_device ON distribution_decisions (device_no);
CREATE INDEX distribution_decisions_by_row ON distribution_decisions (outbox_id, id DESC) WHERE outbox_id IS NOT NULL;
CREATE INDEX distribution_decisions_by_lead ON distribution_decisions (lead_id, id DESC) WHERE lead_id IS NOT NULL;
CREATE INDEX distribution_decisions_of ON distribution_decisions (distribution_id, id) WHERE distribution_id IS NOT NULL;

-- Whoever puts rows into the pool, or lets its source run, wakes distribution at commit.
CREATE FUNCTION tell_of_pool() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wafast_pool', '') FROM added WHERE device_no IS NULL LIMIT 1;
    RETURN NULL;
END
$$;
CREATE FUNCTION tell_of_lane() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wafast_pool', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER pool_filled AFTER INSERT ON outbox REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_pool();
CREATE TRIGGER pool_opened AFTER INSERT OR UPDATE OF is_live ON lanes FOR EACH ROW
    WHEN (NEW.device_no IS NULL AND NEW.is_live) EXECUTE FUNCTION tell_of_lane();
CREATE TRIGGER distribution_asked AFTER INSERT OR UPDATE OF state ON distributions FOR EACH ROW
    WHEN (NEW.ended_at IS NULL) EXECUTE FUNCTION tell_of_lane();

-- Which numbers are on WhatsApp, as devices have found out one by one; asked again after 30 days.
CREATE TABLE number_checks (
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    network    text NOT NULL,
    phone      text NOT NULL,             -- E.164
    jid        text,                      -- NULL: it is not
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, network, phone)
);
