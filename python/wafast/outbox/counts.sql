-- name: fold_counts
-- Also what is left of sources that are gone. $1 how many rows more than twice its sums a source must have.
WITH grown AS (
    SELECT source_id FROM (
        SELECT source_id, count(*) AS rows FROM source_counts GROUP BY source_id, device_no, bucket, cause
    ) sums GROUP BY source_id HAVING sum(rows) > 2 * count(*) + $1
),
gone AS (
    DELETE FROM source_counts c USING grown g WHERE c.source_id = g.source_id
    RETURNING c.source_id, c.device_no, c.bucket, c.cause, c.n
),
summed AS (
    INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
    SELECT source_id, device_no, bucket, cause, sum(n) FROM gone JOIN sources s ON s.id = source_id
    GROUP BY source_id, device_no, bucket, cause HAVING sum(n) <> 0
)
SELECT count(*) FROM gone
