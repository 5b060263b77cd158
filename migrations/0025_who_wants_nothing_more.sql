-- Who wants nothing more gets nothing more from the first instant, however that became known: said in a chat, put on the
-- list by a person or a file, taken over from another lead, or said under a LID whose number was learned later. Whoever
-- writes such a row leaves word of it here, in the same transaction; who follows answers (answers/follow.py) ends what
-- waits for the person, a bounded step at a time. The claim looks at suppressions itself.

CREATE TABLE suppression_queue (
    id        int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id int4 NOT NULL,
    phone     text NOT NULL
);
-- LIDs whose chats began before their number was known: what was said there was said by the number.
CREATE TABLE lid_queue (
    id        int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_no int4 NOT NULL,
    lid       int8 NOT NULL,
    number    int8 NOT NULL
);

CREATE FUNCTION wake_answers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wafast_answers', '') FROM added LIMIT 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER wake_answers AFTER INSERT ON suppression_queue REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION wake_answers();
CREATE TRIGGER wake_answers AFTER INSERT ON lid_queue REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION wake_answers();

CREATE FUNCTION queue_suppressed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO suppression_queue (tenant_id, phone) SELECT tenant_id, phone FROM added;
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_suppressed AFTER INSERT ON suppressions REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION queue_suppressed();

CREATE FUNCTION queue_known_lids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lid_queue (device_no, lid, number)
    SELECT n.device_no, n.lid, n.number FROM known n
    JOIN chats c ON c.device_no = n.device_no AND c.jid = n.lid || '@lid';
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_known AFTER INSERT ON lid_numbers REFERENCING NEW TABLE AS known
    FOR EACH STATEMENT EXECUTE FUNCTION queue_known_lids();
CREATE TRIGGER queue_changed AFTER UPDATE ON lid_numbers REFERENCING NEW TABLE AS known
    FOR EACH STATEMENT EXECUTE FUNCTION queue_known_lids();

-- What was on the list before, and may have rows that wait.
INSERT INTO suppression_queue (tenant_id, phone)
SELECT s.tenant_id, s.phone FROM suppressions s JOIN leads l ON l.tenant_id = s.tenant_id AND l.phone = s.phone;

-- Whoever deletes a lead cancels what waits for it, what is just being sent as well (outbox/cancel.sql).
DROP TRIGGER cancel_gone ON enrolments;
DROP FUNCTION cancel_steps_of_gone();
