-- Which lead is meant by a number: the one that has it, else the one whose person has it as well.
CREATE FUNCTION lead_of_person(of_tenant int4, of_phone text) RETURNS TABLE (id int8, phone text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT l.id, l.phone
    FROM numbers_of_person(of_tenant, of_phone) p JOIN leads l ON l.tenant_id = of_tenant AND l.phone = p.phone
    ORDER BY l.phone <> of_phone, l.id LIMIT 1
$$;
