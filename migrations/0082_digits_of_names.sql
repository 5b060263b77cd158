-- Digits that begin with a zero are what a person has typed of a number, and may be a word of a name or the end of a number
-- as well: a filter keeps what was typed (search) and has beside it how the number would begin internationally (begins).

CREATE FUNCTION lead_query(search text, begins text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN search ~ '^[-+() 0-9]*[0-9][-+() 0-9]*$' THEN
        ('''' || regexp_replace(search, '[^0-9]', '', 'g') || ''':* | ''r'
         || reverse(regexp_replace(search, '[^0-9]', '', 'g')) || ''':*'
         || coalesce(' | ''' || begins || ''':*', ''))::tsquery
    WHEN words_of(search) = '{}' THEN ''::tsquery
    ELSE ('''' || array_to_string(words_of(search), ''':* & ''') || ''':*')::tsquery END;

-- Which leads of a tenant a filter means: the one reading of it, for lists, counts, bulk edits and audiences. Members of the
-- filter, each may be missing: tags (all of them) · any_tags · no_tags · target_status · device_ids (public ids) ·
-- has_device (bool) · search (words of the name; digits begin or end the number, or begin a word) · begins (with search: digits
-- that may begin the number as well) · fields (by name, equal) · replied (bool) · quiet_days (nothing from it for so many days) ·
-- is_suppressed (bool) · created_after, created_before (instants) · within (public ids: only leads of these devices and of
-- none).
-- PostgreSQL puts its text in the place of the call. With the filter known when the plan is made (plan_cache_mode =
-- force_custom_plan) only the members that are there are left of it, and the indexes serve them.
CREATE OR REPLACE FUNCTION leads_matching(of_tenant int4, filter jsonb) RETURNS SETOF leads LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT l.* FROM leads l
    WHERE l.tenant_id = of_tenant
      AND (NOT filter ? 'tags' OR l.tags @> texts_of(filter -> 'tags'))
      AND (NOT filter ? 'any_tags' OR l.tags && texts_of(filter -> 'any_tags'))
      AND (NOT filter ? 'no_tags' OR NOT l.tags && texts_of(filter -> 'no_tags'))
      AND (NOT filter ? 'target_status' OR l.target_status = filter ->> 'target_status')
      AND (NOT filter ? 'device_ids' OR l.device_no = ANY ((SELECT device_numbers(of_tenant, filter -> 'device_ids'))::int4[]))
      AND (NOT filter ? 'has_device' OR (l.device_no IS NOT NULL) = (filter ->> 'has_device')::bool)
      AND (NOT filter ? 'search' OR lead_lexemes(l.name, l.phone) @@ lead_query(filter ->> 'search', filter ->> 'begins'))
      AND (NOT filter ? 'fields' OR l.fields @> (filter -> 'fields'))
      AND (NOT filter ? 'replied' OR (l.replied_at IS NOT NULL) = (filter ->> 'replied')::bool)
      AND (NOT filter ? 'quiet_days' OR coalesce(l.replied_at, '-infinity')
              < now() - make_interval(days => (filter ->> 'quiet_days')::int4))
      AND (filter -> 'is_suppressed' IS DISTINCT FROM 'true' OR l.phone = ANY ((SELECT suppressed_phones(of_tenant))::text[]))
      AND (filter -> 'is_suppressed' IS DISTINCT FROM 'false'
           OR l.phone NOT IN (SELECT s.phone FROM suppressions s WHERE s.tenant_id = of_tenant))
      AND (NOT filter ? 'created_after' OR l.created_at >= (filter ->> 'created_after')::timestamptz)
      AND (NOT filter ? 'created_before' OR l.created_at < (filter ->> 'created_before')::timestamptz)
      AND (NOT filter ? 'within' OR l.device_no IS NULL
           OR l.device_no = ANY ((SELECT device_numbers(of_tenant, filter -> 'within'))::int4[]))
$$;

DROP FUNCTION lead_query(text);
