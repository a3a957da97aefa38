calls AS (
  SELECT
    {SAME},
    -- What names resources counts only where the event lists none.
    CASE WHEN resource_list LIKE '%=arn:%' THEN CAST(NULL AS VARCHAR) ELSE parameters END AS parameters,
    resource_list,
    day
  FROM events
),
shapes AS (
  SELECT
    {SAME},
    parameters,
    resource_list,
    count(*) AS calls,
    min(day) AS first_day,
    max(day) AS last_day
  FROM calls
  GROUP BY
    {SAME},
    parameters,
    resource_list
),
ranked AS (
  SELECT
    shapes.*,
    row_number() OVER (
      PARTITION BY
    {SAME}
      ORDER BY resource_list, parameters
    ) AS place
  FROM shapes
),
bounded AS (
  SELECT
    {SAME},
    CASE WHEN place <= {MOST} THEN parameters END AS parameters,
    CASE WHEN place <= {MOST} THEN resource_list END AS resource_list,
    CASE WHEN place <= {MOST} THEN 'false' ELSE 'true' END AS is_cut,
    calls,
    first_day,
    last_day
  FROM ranked
)
SELECT
    'use' AS kind,
    {SAME},
    parameters,
    resource_list,
    is_cut,
    sum(calls) AS calls,
    min(first_day) AS first_day,
    max(last_day) AS last_day
FROM bounded
GROUP BY
    {SAME},
    parameters,
    resource_list,
    is_cut
UNION ALL
SELECT
    'day' AS kind,
    {SAME_NULLS},
    CAST(NULL AS VARCHAR) AS parameters,
    CAST(NULL AS VARCHAR) AS resource_list,
    'false' AS is_cut,
    count(*) AS calls,
    day AS first_day,
    day AS last_day
FROM calls
GROUP BY day
