-- Counts the events of CloudTrail by who called what. Read the result, as CSV or JSON, with `overgrant evidence collect`:
--   duckdb -csv < query.sql > result.csv
WITH logs AS (
  SELECT unnest(Records) AS event
  FROM read_json('{TABLE}', columns = {Records: 'JSON[]'}, maximum_object_size = 1073741824)
),
events AS (
  SELECT
    event->>'$.userIdentity.type' AS user_type,
    CASE event->>'$.userIdentity.type'
      WHEN 'AssumedRole' THEN regexp_replace(event->>'$.userIdentity.arn', '(:assumed-role/[^/]+)/.*$', '\1')
      WHEN 'FederatedUser' THEN CAST(NULL AS VARCHAR)
      ELSE event->>'$.userIdentity.arn'
    END AS user_arn,
    event->>'$.userIdentity.sessionContext.sessionIssuer.arn' AS issuer_arn,
    event->>'$.userIdentity.accountId' AS account_id,
    CASE
      WHEN event->>'$.userIdentity.type' = 'IAMUser' AND event->>'$.userIdentity.arn' IS NULL
      THEN event->>'$.userIdentity.userName'
    END AS user_name,
    event->>'$.userIdentity.invokedBy' AS invoked_by,
    event->>'$.userIdentity.identityProvider' AS identity_provider,
    event->>'$.userIdentity.onBehalfOf.identityStoreArn' AS identity_store,
    event->>'$.eventSource' AS event_source,
    event->>'$.eventName' AS event_name,
    CASE
      WHEN event->>'$.errorCode' LIKE '%AccessDenied%' OR event->>'$.errorCode' LIKE '%UnauthorizedOperation%'
        OR event->>'$.errorCode' LIKE 'AuthorizationError%' OR event->>'$.errorCode' = 'UnauthorizedAccess'
      THEN 'AccessDenied'
    END AS error_code,
    event->>'$.eventType' AS event_type,
    event->>'$.eventCategory' AS event_category,
    event->>'$.managementEvent' AS management_event,
    event->>'$.readOnly' AS read_only,
    event->>'$.awsRegion' AS aws_region,
    event->>'$.recipientAccountId' AS recipient_account,
    array_to_string(
      list_sort([
        k
        FOR k IN json_keys(event->'$.requestParameters')
        IF json_extract_string(event->'$.requestParameters', '$."' || k || '"') NOT IN ('null', '[]', '{}')
      ]),
      ',') AS parameter_names,
    CAST({PARAMETERS} AS VARCHAR) AS parameters,
    CAST(to_json(list_sort([
      concat(coalesce(r->>'$.type', ''), '=', coalesce(r->>'$.ARN', r->>'$.arn'))
      FOR r IN CAST(event->'$.resources' AS JSON[])
      IF coalesce(r->>'$.ARN', r->>'$.arn') IS NOT NULL
    ])) AS VARCHAR) AS resource_list,
    substr(event->>'$.eventTime', 1, 10) AS day
  FROM logs
  WHERE
    coalesce(event->>'$.eventCategory', '') <> 'Insight'
{SINCE}
),
