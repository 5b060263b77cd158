-- Reactions or votes, with these JIDs in the place of those; of two by one person the later stays.
CREATE FUNCTION said_by(said jsonb, lids text[], numbers text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
    SELECT jsonb_agg(last.one ORDER BY last.place)
    FROM (SELECT DISTINCT ON (named.one ->> 'sender_jid') named.one, named.place
          FROM (SELECT CASE WHEN of.number IS NULL THEN each.one
                       ELSE jsonb_set(each.one, '{sender_jid}', to_jsonb(of.number)) END AS one, each.place
                FROM jsonb_array_elements(said) WITH ORDINALITY each (one, place)
                LEFT JOIN unnest(lids, numbers) of (lid, number) ON of.lid = each.one ->> 'sender_jid') named
          ORDER BY named.one ->> 'sender_jid', (named.one ->> 'at')::int8 DESC) last);
