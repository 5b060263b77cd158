-- What became of a group names people by JID in `media` and by digits in its text: by their number, once that is known.
CREATE FUNCTION notice_by_number(of_device int4, INOUT body text, INOUT media jsonb)
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    known record;
BEGIN
    FOR known IN
        SELECT named.lid, coalesce(l.number::text, split_part(d.jid, '@', 1)) AS number
        FROM (SELECT substring(jid FROM '^([0-9]{1,18})@lid$') AS lid
              FROM (SELECT media ->> 'who' UNION SELECT jsonb_path_query(media, '$.happened[*].people[*]') #>> '{}') t (jid)) named
        LEFT JOIN lid_numbers l ON l.device_no = of_device AND l.lid = named.lid::int8
        LEFT JOIN devices d ON d.no = of_device AND d.lid = named.lid || '@lid'
        WHERE l.number IS NOT NULL OR d.jid IS NOT NULL
    LOOP
        body := regexp_replace(body, '(?<![0-9A-Za-z+])' || known.lid || '(?![0-9A-Za-z])', '+' || known.number, 'g');
        media := replace(media::text, '"' || known.lid || '@lid"', '"' || known.number || '@s.whatsapp.net"')::jsonb;
    END LOOP;
END
$$;
