-- Who a line is, is written once per pairing: a health check, or whatever else goes wrong, can't make it another's.
CREATE FUNCTION refuse_other_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING
        MESSAGE = format('device %s is %s until it is paired again', OLD.no, OLD.jid), CONSTRAINT = 'one_identity_a_pairing';
END $$;
CREATE TRIGGER one_identity_a_pairing BEFORE UPDATE OF jid, lid, phone, wa_device ON devices FOR EACH ROW
WHEN (OLD.jid IS NOT NULL AND NEW.paired_at IS NOT DISTINCT FROM OLD.paired_at
      AND (NEW.jid, NEW.lid, NEW.phone, NEW.wa_device) IS DISTINCT FROM (OLD.jid, OLD.lid, OLD.phone, OLD.wa_device))
EXECUTE FUNCTION refuse_other_identity();
