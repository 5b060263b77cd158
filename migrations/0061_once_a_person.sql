-- A campaign, and a step, reaches a person once, also where it has two numbers that are two leads: WhatsApp names both the same.

-- How WhatsApp named the person of a source's row as it was claimed, where that is otherwise than to_jid.
ALTER TABLE outbox ADD COLUMN named_jid text;
CREATE UNIQUE INDEX outbox_once_a_person ON outbox (source_id, named_jid) WHERE named_jid IS NOT NULL AND enrolment_id IS NULL;

-- Whether the person of a source's row, whom WhatsApp names so, has this at another of its numbers: a row of the campaign
-- that goes there or went there, or the step of another lead that is the same person, in a way that was open since.
CREATE FUNCTION has_elsewhere(send outbox, named text) RETURNS bool LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN send.enrolment_id IS NULL THEN
        send.to_jid <> named AND EXISTS (SELECT FROM outbox o WHERE o.source_id = send.source_id AND o.to_jid = named
                                        AND o.enrolment_id IS NULL)
        OR EXISTS (SELECT FROM outbox o WHERE o.source_id = send.source_id AND o.named_jid = named
                   AND o.enrolment_id IS NULL AND o.id <> send.id)
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
