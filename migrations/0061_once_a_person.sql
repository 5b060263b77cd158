-- A campaign, and a step, reaches a person once, also where it has two numbers that are two leads: WhatsApp names both the same.

-- How WhatsApp named the person of a source's row as it was claimed, where that is otherwise than to_jid. What ended without
-- leaving keeps nobody from it at another number: not here, nor in has_elsewhere, or what that lets pass would be refused at
-- each look.
ALTER TABLE outbox ADD COLUMN named_jid text;
CREATE UNIQUE INDEX outbox_once_a_person ON outbox (source_id, named_jid)
    WHERE named_jid IS NOT NULL AND enrolment_id IS NULL AND state NOT IN ('failed', 'cancelled', 'expired');

-- Whether the person of a source's row, whom WhatsApp names so, has this at another of its numbers: a row of the campaign
-- that goes there or went there, or the step of another lead that is the same person, in a way that was open since.
-- A table of one row, which becomes part of the query that asks: a value that looks into tables costs 100 us each time, and
-- halved the claims a second. That a row is not its own other one keeps PostgreSQL from reading the whole outbox once instead
-- of a row each time.
CREATE FUNCTION has_elsewhere(send outbox, named text) RETURNS TABLE (is_so bool) LANGUAGE sql STABLE PARALLEL SAFE AS $$
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
