-- A person has a campaign at another number only where it may still leave for that, or did: what ended there without leaving
-- keeps nobody from it. The index says the same, or what the function lets pass would be refused at each look.
DROP INDEX outbox_once_a_person;
CREATE UNIQUE INDEX outbox_once_a_person ON outbox (source_id, named_jid)
    WHERE named_jid IS NOT NULL AND enrolment_id IS NULL AND state NOT IN ('failed', 'cancelled', 'expired');

-- As in 0062. That a row is not its own other one keeps PostgreSQL from reading the whole outbox once instead of a row each time.
CREATE OR REPLACE FUNCTION has_elsewhere(send outbox, named text) RETURNS TABLE (is_so bool) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN send.enrolment_id IS NULL THEN
        send.to_jid <> named AND EXISTS (SELECT FROM outbox o WHERE o.source_id = send.source_id AND o.to_jid = named
                                        AND o.enrolment_id IS NULL AND o.id <> send.id
                                        AND o.state NOT IN ('failed', 'cancelled', 'expired'))
        OR EXISTS (SELECT FROM outbox o WHERE o.source_id = send.source_id AND o.named_jid = named
                   AND o.enrolment_id IS NULL AND o.id <> send.id AND o.state NOT IN ('failed', 'cancelled', 'expired'))
    ELSE EXISTS (
        SELECT FROM phones_of(send.tenant_id, named) p
        JOIN leads l ON l.tenant_id = send.tenant_id AND l.phone = p.phone AND l.id <> send.lead_id
        JOIN enrolments e ON e.id = send.enrolment_id
        JOIN enrolments x ON x.lead_id = l.id AND x.sequence_id = e.sequence_id
                         AND coalesce(x.ended_at, 'infinity') > e.started_at
        JOIN outbox o ON o.enrolment_id = x.id AND o.source_id = send.source_id
                     AND o.state IN ('sending', 'sent', 'delivered', 'read', 'unknown'))
    END
$$;

-- How a number that people dial is called: as it is, and as WhatsApp names it. A table, as has_elsewhere is one.
DROP FUNCTION jids_of_phone(int4, text);
CREATE FUNCTION jids_of_phone(of_tenant int4, of_phone text) RETURNS TABLE (jid text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT substr(of_phone, 2) || '@s.whatsapp.net'
  UNION
    SELECT c.jid FROM number_checks c
    WHERE c.tenant_id = of_tenant AND c.network IN ('whatsapp', 'loopback') AND c.phone = of_phone AND c.jid IS NOT NULL
$$;

-- As before, by that.
CREATE OR REPLACE FUNCTION numbers_of_person(of_tenant int4, of_phone text) RETURNS TABLE (phone text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT of_phone
  UNION
    SELECT p.phone FROM jids_of_phone(of_tenant, of_phone) named CROSS JOIN LATERAL phones_of(of_tenant, named.jid) p
  UNION
    SELECT l.phone FROM former_leads f JOIN leads l ON l.id = f.lead_id WHERE f.tenant_id = of_tenant AND f.phone = of_phone
  UNION
    SELECT f.phone FROM leads l JOIN former_leads f ON f.lead_id = l.id WHERE l.tenant_id = of_tenant AND l.phone = of_phone
$$;

-- What left before the names were kept, of campaigns that go on: one row a person, as the index wants it.
UPDATE outbox SET named_jid = known.jid FROM (
    SELECT DISTINCT ON (o.source_id, c.jid) o.id, c.jid
    FROM number_checks c
    JOIN sources s ON s.tenant_id = c.tenant_id AND s.state <> 'ended'
    JOIN outbox o ON o.source_id = s.id AND o.to_jid = substr(c.phone, 2) || '@s.whatsapp.net' AND o.enrolment_id IS NULL
                 AND o.state IN ('sending', 'sent', 'delivered', 'read', 'unknown')
    WHERE c.jid <> substr(c.phone, 2) || '@s.whatsapp.net' AND c.network IN ('whatsapp', 'loopback')
    ORDER BY o.source_id, c.jid, o.id
) known
WHERE outbox.id = known.id AND outbox.named_jid IS NULL
  AND NOT EXISTS (SELECT FROM outbox x WHERE x.source_id = outbox.source_id AND x.named_jid = known.jid AND x.enrolment_id IS NULL
                  AND x.state NOT IN ('failed', 'cancelled', 'expired'));
