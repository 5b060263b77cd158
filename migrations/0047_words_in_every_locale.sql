-- What a letter is does not depend on the database's locale: where that was C, a name in Chinese, Arabic or Tamil had no
-- words, and nobody found it. And a search without a word finds nobody, where it was an error.
--
-- The collation says it: PostgreSQL's own since 17 (pg_unicode_fast since 18), before that ICU's, or else the system's.
DO $do$
DECLARE
    letters text := coalesce(
        (SELECT quote_ident(c.collname) FROM unnest('{pg_unicode_fast,pg_c_utf8,und-x-icu,C.utf8}'::text[]) WITH ORDINALITY AS w (name, place)
         JOIN pg_collation c ON c.collname = w.name AND c.collnamespace = 'pg_catalog'::regnamespace
             AND c.collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
         ORDER BY w.place LIMIT 1), '"default"');
BEGIN
    EXECUTE format($sql$
        CREATE FUNCTION words_of(line text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
            array_remove(regexp_split_to_array(lower(left(line, 200) COLLATE %1$s), '[^[:alnum:]]+'), '')
    $sql$, letters);
    -- Without words_of: an index is built and analyzed where only PostgreSQL's own functions are found by their names.
    EXECUTE format($sql$
        CREATE OR REPLACE FUNCTION lead_lexemes(name text, phone text) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $body$
        BEGIN
            RETURN array_to_tsvector(
                array_remove(regexp_split_to_array(lower(left(name, 200) COLLATE %1$s), '[^[:alnum:]]+'), '')
                || substr(phone, 2) || ('r' || reverse(substr(phone, 2))));
        END
        $body$
    $sql$, letters);
END
$do$;

CREATE OR REPLACE FUNCTION lead_query(search text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN search ~ '^[-+() 0-9]*[0-9][-+() 0-9]*$' THEN
        ('''' || regexp_replace(search, '[^0-9]', '', 'g') || ''':* | ''r'
         || reverse(regexp_replace(search, '[^0-9]', '', 'g')) || ''':*')::tsquery
    WHEN words_of(search) = '{}' THEN ''::tsquery
    ELSE ('''' || array_to_string(words_of(search), ''':* & ''') || ''':*')::tsquery END;
REINDEX INDEX leads_by_word;
