-- Counts the events of CloudTrail by who called what. Read the result, as CSV or JSON, with `overgrant evidence collect`.
-- {TABLE} is the ID of an event data store of CloudTrail Lake.
WITH events AS (
  SELECT
    userIdentity.type AS user_type,
    CASE userIdentity.type
      WHEN 'AssumedRole' THEN regexp_replace(userIdentity.arn, '(:assumed-role/[^/]+)/.*$', '$1')
      WHEN 'FederatedUser' THEN CAST(NULL AS VARCHAR)
      ELSE userIdentity.arn
    END AS user_arn,
    userIdentity.sessionContext.sessionIssuer.arn AS issuer_arn,
    userIdentity.accountId AS account_id,
    CASE WHEN userIdentity.type = 'IAMUser' AND userIdentity.arn IS NULL THEN userIdentity.userName END AS user_name,
    userIdentity.invokedBy AS invoked_by,
    CAST(NULL AS VARCHAR) AS identity_provider,
    userIdentity.onBehalfOf.identityStoreArn AS identity_store,
    eventSource AS event_source,
    eventName AS event_name,
    CASE
      WHEN errorCode LIKE '%AccessDenied%' OR errorCode LIKE '%UnauthorizedOperation%'
        OR errorCode LIKE 'AuthorizationError%' OR errorCode = 'UnauthorizedAccess'
      THEN 'AccessDenied'
    END AS error_code,
    eventType AS event_type,
    eventCategory AS event_category,
    CAST(managementEvent AS VARCHAR) AS management_event,
    CAST(readOnly AS VARCHAR) AS read_only,
    awsRegion AS aws_region,
    recipientAccountId AS recipient_account,
    array_join(
      array_sort(map_keys(map_filter(
        requestParameters,
        (k, v) -> v IS NOT NULL AND v NOT IN ('null', '[]', '{}')))),
      ',') AS parameter_names,
    json_format(CAST(map_filter(
      {PARAMETERS},
      (k, v) -> v IS NOT NULL) AS JSON)) AS parameters,
    json_format(CAST(array_sort(transform(
      filter(resources, r -> r.arn IS NOT NULL),
      r -> concat(coalesce(r.type, ''), '=', r.arn))) AS JSON)) AS resource_list,
    substr(CAST(eventTime AS VARCHAR), 1, 10) AS day
  FROM {TABLE}
  WHERE
    coalesce(eventCategory, '') <> 'Insight'
{SINCE}
),
