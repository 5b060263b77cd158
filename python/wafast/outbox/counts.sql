-- name: fold_counts
-- The next $1 rows, also those of sources that are gone.
WITH gone AS (
    DELETE FROM source_counts WHERE ctid = ANY (ARRAY(SELECT ctid FROM source_counts LIMIT $1))
    RETURNING source_id, device_no, bucket, cause, n
),
summed AS (
    INSERT INTO source_sums (source_id, device_no, bucket, cause, n)
    SELECT source_id, device_no, bucket, cause, sum(n) FROM gone JOIN sources s ON s.id = source_id
    GROUP BY source_id, device_no, bucket, cause HAVING sum(n) <> 0
    ON CONFLICT (source_id, device_no, bucket, cause) DO UPDATE SET n = source_sums.n + excluded.n
)
SELECT coalesce(array_agg(DISTINCT source_id), '{}') AS sources, count(*) AS gone FROM gone
