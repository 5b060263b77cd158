-- What a lead that has the fields `own` takes of `more`, whose names are in order: what it has is changed, and of what it has not
-- the first come in, as long as it has no more than `most`.
CREATE FUNCTION fields_with_room(own jsonb, more json, most int) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(jsonb_object_agg(name, value), '{}')
    FROM (SELECT name, value, own ? name AS is_known, row_number() OVER (PARTITION BY own ? name ORDER BY place) AS number
          FROM json_each_text(more) WITH ORDINALITY m (name, value, place)) named
    WHERE is_known OR number <= most - (SELECT count(*) FROM jsonb_object_keys(own));
END;
