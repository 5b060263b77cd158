-- WhatsApp itself writes as 0@s.whatsapp.net, which is the packed number 0: that of nobody. It has 7, which no JID has.
CREATE OR REPLACE FUNCTION jid_of(packed int8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE packed WHEN 0 THEN NULL WHEN 7 THEN '0@s.whatsapp.net' ELSE (packed >> 3) || '@' ||
        (ARRAY['s.whatsapp.net','lid','g.us','broadcast','newsletter','bot','interop','unknown'])[(packed & 7) + 1] END;

UPDATE messages m SET sender = 7 FROM chats c
WHERE c.jid = '0@s.whatsapp.net' AND m.chat_id = c.id AND m.sender = 0 AND m.flags & 1 = 0;
