-- A JID is text that anybody may have written: where it is read as a number, one that is none must not stop a statement,
-- which works for the devices of all tenants.
CREATE FUNCTION lid_of(jid text) RETURNS int8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jid ~ '^[0-9]{1,18}@lid$' THEN split_part(jid, '@', 1)::int8 END;

-- The counts once one of those counted in slot `slot` has turned out not to have left.
CREATE FUNCTION send_uncounted(counts int4[], last_slot int8, slot int8) RETURNS int4[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN counts[(last_slot - slot + 1)::int4] > 0
         THEN counts[:(last_slot - slot)::int4] || (counts[(last_slot - slot + 1)::int4] - 1)
              || counts[(last_slot - slot + 2)::int4:]
         ELSE counts END;
