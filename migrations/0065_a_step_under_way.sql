-- A step reaches a person once, also where two numbers are two leads and two lines send at once: while one is on its way to
-- whom WhatsApp names so, no other of that step is. A row says the name it goes to from its claim on, or once its line has
-- asked for it.
UPDATE outbox SET state = 'unknown', reason = 'wafast stopped while it was being sent; it may have left'
WHERE id IN (SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY source_id, coalesce(named_jid, to_jid) ORDER BY id) AS place
    FROM outbox WHERE enrolment_id IS NOT NULL AND state = 'sending') under_way WHERE place > 1);
CREATE UNIQUE INDEX outbox_step_under_way ON outbox (source_id, coalesce(named_jid, to_jid))
    WHERE enrolment_id IS NOT NULL AND state = 'sending';

-- As in migration 0061; but of steps under way only one that goes to this name counts. Another whose line has yet to ask
-- for it is refused then: two that looked at each other would both be kept here.
CREATE OR REPLACE FUNCTION has_elsewhere(send outbox, named text) RETURNS TABLE (is_so bool) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN send.enrolment_id IS NULL THEN
        send.to_jid <> named AND EXISTS (SELECT FROM outbox o WHERE o.source_id = send.source_id AND o.to_jid = named
                                        AND o.enrolment_id IS NULL AND o.id <> send.id
                                        AND o.state NOT IN ('failed', 'cancelled', 'expired'))
        OR EXISTS (SELECT FROM outbox o WHERE o.source_id = send.source_id AND o.named_jid = named
                   AND o.enrolment_id IS NULL AND o.id <> send.id AND o.state NOT IN ('failed', 'cancelled', 'expired'))
    ELSE
        EXISTS (SELECT FROM outbox o WHERE o.source_id = send.source_id AND coalesce(o.named_jid, o.to_jid) = named
                AND o.enrolment_id IS NOT NULL AND o.state = 'sending' AND o.id <> send.id)
        OR EXISTS (
        SELECT FROM phones_of(send.tenant_id, named) p
        JOIN leads l ON l.tenant_id = send.tenant_id AND l.phone = p.phone AND l.id <> send.lead_id
        JOIN enrolments e ON e.id = send.enrolment_id
        JOIN enrolments x ON x.lead_id = l.id AND x.sequence_id = e.sequence_id
                         AND coalesce(x.ended_at, 'infinity') > e.started_at
        JOIN outbox o ON o.enrolment_id = x.id AND o.source_id = send.source_id
                     AND o.state IN ('sent', 'delivered', 'read', 'unknown'))
    END
$$;
