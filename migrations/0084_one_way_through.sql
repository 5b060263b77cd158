-- How a row of the outbox may go on, from each state it can have: whatever statement writes a state, this function is asked,
-- and nothing passes it. A row leaves only out of a claim (`sending`), which ends it; what is known not to leave ends out of
-- the queue. What has ended stays so, so that nothing that has left is sent again: what did not leave, as far as anybody knows,
-- a person may queue again or take off; of what is unknown its worker, a receipt or a person says what became of it; receipts
-- go forward only.
CREATE OR REPLACE FUNCTION outbox_goes_on(was text, becomes text) RETURNS bool LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE was WHEN 'queued' THEN becomes IN ('sending', 'failed', 'expired', 'cancelled')
             WHEN 'sending' THEN becomes IN ('sent', 'failed', 'unknown', 'queued', 'cancelled')
             WHEN 'unknown' THEN becomes IN ('sent', 'failed', 'queued', 'cancelled')
             WHEN 'sent' THEN becomes IN ('delivered', 'read')
             WHEN 'delivered' THEN becomes = 'read'
             WHEN 'read' THEN false
             WHEN 'cancelled' THEN becomes = 'queued'
             ELSE becomes IN ('queued', 'cancelled') END;  -- failed, expired

DROP TRIGGER no_way_back ON outbox;
DROP FUNCTION refuse_way_back();
CREATE FUNCTION refuse_other_way() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'row % of the outbox is %, and can''t become %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation', TABLE = 'outbox', CONSTRAINT = 'outbox_one_way';
END
$$;
CREATE TRIGGER one_way AFTER UPDATE OF state ON outbox FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NOT outbox_goes_on(OLD.state, NEW.state))
    EXECUTE FUNCTION refuse_other_way();
