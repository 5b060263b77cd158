-- WhatsApp names some numbers otherwise than people dial them: in Brazil without the 9, in Mexico with a 1. What is sent goes
-- to the name, which number_checks has, and what was sent to either number is one chat's, the name's.
CREATE INDEX number_checks_named_otherwise ON number_checks (tenant_id, jid) WHERE jid <> substr(phone, 2) || '@s.whatsapp.net';

CREATE FUNCTION named_jid(of_tenant int4, on_network text, asked text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(CASE WHEN asked LIKE '%@s.whatsapp.net' THEN (
        SELECT jid FROM number_checks
        WHERE tenant_id = of_tenant AND network = on_network AND phone = '+' || split_part(asked, '@', 1)) END, asked)
$$;

-- How a person ($2) whom a device ($1) writes to is called by now.
CREATE OR REPLACE FUNCTION jid_now(int4, text) RETURNS TABLE (jid text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce((SELECT number || '@s.whatsapp.net' FROM lid_numbers WHERE device_no = $1 AND lid = lid_of($2)),
                    (SELECT named_jid(tenant_id, network, $2) FROM devices WHERE no = $1), $2)
$$;

CREATE OR REPLACE FUNCTION jids_of(on_device int4, jid text) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT jid || ARRAY(SELECT lid || '@lid' FROM lid_numbers WHERE device_no = on_device
        AND number = CASE WHEN jid ~ '^[0-9]{1,18}@s\.whatsapp\.net$' THEN split_part(jid, '@', 1)::int8 END)
      || ARRAY(SELECT substr(c.phone, 2) || '@s.whatsapp.net' FROM devices d
               JOIN number_checks c ON c.tenant_id = d.tenant_id AND c.network = d.network AND c.jid = jids_of.jid
               WHERE d.no = on_device AND c.jid <> substr(c.phone, 2) || '@s.whatsapp.net')
$$;

-- The numbers people dial for a JID: its own, and those that WhatsApp names so.
CREATE FUNCTION phones_of(of_tenant int4, named text) RETURNS TABLE (phone text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '+' || split_part(named, '@', 1) WHERE named LIKE '%@s.whatsapp.net'
    UNION ALL
    SELECT c.phone FROM number_checks c
    WHERE c.tenant_id = of_tenant AND c.jid = named AND c.jid <> substr(c.phone, 2) || '@s.whatsapp.net'
$$;

-- Chats that were begun under the number people dial go into those of WhatsApp's name; gives what is gone and where it went.
CREATE FUNCTION join_named_chats(of_tenant int4, on_network text, asked text, named text)
RETURNS TABLE (device_no int4, gone int8, kept int8) LANGUAGE plpgsql AS $$
BEGIN
    FOR device_no, gone IN
        SELECT c.device_no, c.id FROM chats c JOIN devices d ON d.no = c.device_no AND d.network = on_network
        WHERE c.tenant_id = of_tenant AND c.jid = asked ORDER BY c.id
    LOOP
        INSERT INTO chats AS c (tenant_id, device_no, jid) VALUES (of_tenant, join_named_chats.device_no, named)
        ON CONFLICT ON CONSTRAINT chats_device_no_jid_key DO UPDATE SET jid = excluded.jid RETURNING c.id INTO kept;
        PERFORM merge_chats(gone, kept);
        RETURN NEXT;
    END LOOP;
END
$$;
SELECT join_named_chats(tenant_id, network, substr(phone, 2) || '@s.whatsapp.net', jid) FROM number_checks
WHERE jid <> substr(phone, 2) || '@s.whatsapp.net';
