-- One person has several numbers: as people dial it, as WhatsApp names it, and those of leads that became part of this one.

-- The lead that a former one became part of; NULL: it was deleted, or has another number now.
ALTER TABLE former_leads ADD COLUMN lead_id int8 REFERENCES leads ON DELETE SET NULL;
CREATE INDEX former_leads_by_lead ON former_leads (lead_id) WHERE lead_id IS NOT NULL;

-- How a number that people dial is called: as it is, and as WhatsApp names it. A table of its own, so that it
-- becomes part of the query that asks: a value that looks into tables costs 100 us each time.
CREATE FUNCTION jids_of_phone(of_tenant int4, of_phone text) RETURNS TABLE (jid text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT substr(of_phone, 2) || '@s.whatsapp.net'
  UNION
    SELECT c.jid FROM number_checks c
    WHERE c.tenant_id = of_tenant AND c.network IN ('whatsapp', 'loopback') AND c.phone = of_phone AND c.jid IS NOT NULL
$$;

-- All numbers of whoever has this one, and it too.
CREATE FUNCTION numbers_of_person(of_tenant int4, of_phone text) RETURNS TABLE (phone text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT of_phone
  UNION
    SELECT p.phone FROM jids_of_phone(of_tenant, of_phone) named CROSS JOIN LATERAL phones_of(of_tenant, named.jid) p
  UNION
    SELECT l.phone FROM former_leads f JOIN leads l ON l.id = f.lead_id WHERE f.tenant_id = of_tenant AND f.phone = of_phone
  UNION
    SELECT f.phone FROM leads l JOIN former_leads f ON f.lead_id = l.id WHERE l.tenant_id = of_tenant AND l.phone = of_phone
$$;

-- Who wants nothing more at one number wants nothing at any: whoever puts one on the list puts all there, and so does
-- whoever learns that two are one person's. So whatever asks of one number is answered for all.
CREATE FUNCTION suppress_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added) THEN  -- else it calls itself without end
        INSERT INTO suppressions (tenant_id, phone, reason, created_by)
        SELECT a.tenant_id, p.phone, a.reason, a.created_by
        FROM added a CROSS JOIN LATERAL numbers_of_person(a.tenant_id, a.phone) p
        WHERE p.phone <> a.phone AND p.phone ~ '^\+[1-9][0-9]{6,14}$'
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER suppress_person AFTER INSERT ON suppressions REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION suppress_person();

CREATE FUNCTION suppress_known_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO suppressions (tenant_id, phone, reason, created_by)
    SELECT NEW.tenant_id, n.phone, s.reason, s.created_by
    FROM (SELECT x.reason, x.created_by FROM numbers_of_person(NEW.tenant_id, NEW.phone) p
          JOIN suppressions x ON x.tenant_id = NEW.tenant_id AND x.phone = p.phone
          ORDER BY x.created_at, x.phone LIMIT 1) s
    CROSS JOIN numbers_of_person(NEW.tenant_id, NEW.phone) n
    WHERE n.phone ~ '^\+[1-9][0-9]{6,14}$'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER suppress_named AFTER INSERT OR UPDATE ON number_checks FOR EACH ROW
    WHEN (NEW.jid <> substr(NEW.phone, 2) || '@s.whatsapp.net') EXECUTE FUNCTION suppress_known_person();
CREATE TRIGGER suppress_merged AFTER INSERT OR UPDATE ON former_leads FOR EACH ROW
    WHEN (NEW.lead_id IS NOT NULL) EXECUTE FUNCTION suppress_known_person();

INSERT INTO suppressions (tenant_id, phone, reason, created_by)
SELECT s.tenant_id, p.phone, s.reason, s.created_by
FROM suppressions s CROSS JOIN LATERAL numbers_of_person(s.tenant_id, s.phone) p
WHERE p.phone ~ '^\+[1-9][0-9]{6,14}$'
ON CONFLICT DO NOTHING;

-- Which of some devices knows a person best: one that has a chat with it, by its name as well, or else wrote to it last.
-- Where no number of the tenant is named otherwise, which is asked once, nobody's name is looked for: 1 us each.
CREATE OR REPLACE FUNCTION knows_person(of_tenant int4, of_lead int8, phone text, among int4[])
RETURNS TABLE (device_no int4, code text) LANGUAGE sql STABLE AS $$
    SELECT k.device_no, k.code FROM (
        (SELECT c.device_no, 'chat' AS code, 1 AS place, c.last_key FROM chats c
         WHERE c.tenant_id = of_tenant AND c.jid = substr(phone, 2) || '@s.whatsapp.net' AND NOT c.is_group
           AND c.last_key IS NOT NULL AND c.device_no = ANY (among)
         ORDER BY c.last_key DESC LIMIT 1)
        UNION ALL
        (SELECT c.device_no, 'chat', 1, c.last_key FROM number_checks n JOIN chats c ON c.tenant_id = n.tenant_id AND c.jid = n.jid
         WHERE (SELECT EXISTS (SELECT FROM number_checks x
                               WHERE x.tenant_id = of_tenant AND x.jid <> substr(x.phone, 2) || '@s.whatsapp.net'))
           AND n.tenant_id = of_tenant AND n.network IN ('whatsapp', 'loopback') AND n.phone = knows_person.phone
           AND n.jid <> substr(n.phone, 2) || '@s.whatsapp.net' AND NOT c.is_group
           AND c.last_key IS NOT NULL AND c.device_no = ANY (among)
         ORDER BY c.last_key DESC LIMIT 1)
        UNION ALL
        (SELECT o.device_no, 'wrote', 2, o.id FROM outbox o
         WHERE o.lead_id = of_lead AND o.state IN ('sent', 'delivered', 'read') AND o.device_no = ANY (among)
         ORDER BY o.id DESC LIMIT 1)
    ) k ORDER BY k.place, k.last_key DESC LIMIT 1
$$;
