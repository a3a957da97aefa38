-- Counts the events of CloudTrail by who called what. Read the result, as CSV or JSON, with `overgrant evidence collect`:
--   duckdb -csv < query.sql > result.csv
WITH logs AS (
  SELECT unnest(Records) AS event
  FROM read_json('logs/**/*.json.gz', columns = {Records: 'JSON[]'}, maximum_object_size = 1073741824)
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
    CAST(json_object(
        'bucketName', event->>'$.requestParameters.bucketName',
        'deliveryStreamName', event->>'$.requestParameters.deliveryStreamName',
        'endpointName', event->>'$.requestParameters.endpointName',
        'executionArn', event->>'$.requestParameters.executionArn',
        'fileSystemId', event->>'$.requestParameters.fileSystemId',
        'functionName', event->>'$.requestParameters.functionName',
        'key', event->>'$.requestParameters.key',
        'keyId', event->>'$.requestParameters.keyId',
        'logGroupName', event->>'$.requestParameters.logGroupName',
        'name', event->>'$.requestParameters.name',
        'path', event->>'$.requestParameters.path',
        'queueName', event->>'$.requestParameters.queueName',
        'queueUrl', event->>'$.requestParameters.queueUrl',
        'repositoryName', event->>'$.requestParameters.repositoryName',
        'roleArn', event->>'$.requestParameters.roleArn',
        'secretId', event->>'$.requestParameters.secretId',
        'stateMachineArn', event->>'$.requestParameters.stateMachineArn',
        'streamARN', event->>'$.requestParameters.streamARN',
        'streamName', event->>'$.requestParameters.streamName',
        'tableName', event->>'$.requestParameters.tableName',
        'targetArn', event->>'$.requestParameters.targetArn',
        'topicArn', event->>'$.requestParameters.topicArn',
        'userPoolId', event->>'$.requestParameters.userPoolId',
        'workGroup', event->>'$.requestParameters.workGroup') AS VARCHAR) AS parameters,
    CAST(to_json(list_sort([
      concat(coalesce(r->>'$.type', ''), '=', coalesce(r->>'$.ARN', r->>'$.arn'))
      FOR r IN CAST(event->'$.resources' AS JSON[])
      IF coalesce(r->>'$.ARN', r->>'$.arn') IS NOT NULL
    ])) AS VARCHAR) AS resource_list,
    substr(event->>'$.eventTime', 1, 10) AS day
  FROM logs
  WHERE
    coalesce(event->>'$.eventCategory', '') <> 'Insight'
    AND event->>'$.eventTime' >= strftime(now() AT TIME ZONE 'UTC' - INTERVAL 90 DAY, '%Y-%m-%dT%H:%M:%SZ')
),
calls AS (
  SELECT
    user_type,
    user_arn,
    issuer_arn,
    account_id,
    user_name,
    invoked_by,
    identity_provider,
    identity_store,
    event_source,
    event_name,
    error_code,
    event_type,
    event_category,
    management_event,
    read_only,
    aws_region,
    recipient_account,
    parameter_names,
    -- What names resources counts only where the event lists none.
    CASE WHEN resource_list LIKE '%=arn:%' THEN CAST(NULL AS VARCHAR) ELSE parameters END AS parameters,
    resource_list,
    day
  FROM events
),
shapes AS (
  SELECT
    user_type,
    user_arn,
    issuer_arn,
    account_id,
    user_name,
    invoked_by,
    identity_provider,
    identity_store,
    event_source,
    event_name,
    error_code,
    event_type,
    event_category,
    management_event,
    read_only,
    aws_region,
    recipient_account,
    parameter_names,
    parameters,
    resource_list,
    count(*) AS calls,
    min(day) AS first_day,
    max(day) AS last_day
  FROM calls
  GROUP BY
    user_type,
    user_arn,
    issuer_arn,
    account_id,
    user_name,
    invoked_by,
    identity_provider,
    identity_store,
    event_source,
    event_name,
    error_code,
    event_type,
    event_category,
    management_event,
    read_only,
    aws_region,
    recipient_account,
    parameter_names,
    parameters,
    resource_list
),
ranked AS (
  SELECT
    shapes.*,
    row_number() OVER (
      PARTITION BY
    user_type,
    user_arn,
    issuer_arn,
    account_id,
    user_name,
    invoked_by,
    identity_provider,
    identity_store,
    event_source,
    event_name,
    error_code,
    event_type,
    event_category,
    management_event,
    read_only,
    aws_region,
    recipient_account,
    parameter_names
      ORDER BY resource_list, parameters
    ) AS place
  FROM shapes
),
bounded AS (
  SELECT
    user_type,
    user_arn,
    issuer_arn,
    account_id,
    user_name,
    invoked_by,
    identity_provider,
    identity_store,
    event_source,
    event_name,
    error_code,
    event_type,
    event_category,
    management_event,
    read_only,
    aws_region,
    recipient_account,
    parameter_names,
    CASE WHEN place <= 17 THEN parameters END AS parameters,
    CASE WHEN place <= 17 THEN resource_list END AS resource_list,
    CASE WHEN place <= 17 THEN 'false' ELSE 'true' END AS is_cut,
    calls,
    first_day,
    last_day
  FROM ranked
)
SELECT
    'use' AS kind,
    user_type,
    user_arn,
    issuer_arn,
    account_id,
    user_name,
    invoked_by,
    identity_provider,
    identity_store,
    event_source,
    event_name,
    error_code,
    event_type,
    event_category,
    management_event,
    read_only,
    aws_region,
    recipient_account,
    parameter_names,
    parameters,
    resource_list,
    is_cut,
    sum(calls) AS calls,
    min(first_day) AS first_day,
    max(last_day) AS last_day
FROM bounded
GROUP BY
    user_type,
    user_arn,
    issuer_arn,
    account_id,
    user_name,
    invoked_by,
    identity_provider,
    identity_store,
    event_source,
    event_name,
    error_code,
    event_type,
    event_category,
    management_event,
    read_only,
    aws_region,
    recipient_account,
    parameter_names,
    parameters,
    resource_list,
    is_cut
UNION ALL
SELECT
    'day' AS kind,
    CAST(NULL AS VARCHAR) AS user_type,
    CAST(NULL AS VARCHAR) AS user_arn,
    CAST(NULL AS VARCHAR) AS issuer_arn,
    CAST(NULL AS VARCHAR) AS account_id,
    CAST(NULL AS VARCHAR) AS user_name,
    CAST(NULL AS VARCHAR) AS invoked_by,
    CAST(NULL AS VARCHAR) AS identity_provider,
    CAST(NULL AS VARCHAR) AS identity_store,
    CAST(NULL AS VARCHAR) AS event_source,
    CAST(NULL AS VARCHAR) AS event_name,
    CAST(NULL AS VARCHAR) AS error_code,
    CAST(NULL AS VARCHAR) AS event_type,
    CAST(NULL AS VARCHAR) AS event_category,
    CAST(NULL AS VARCHAR) AS management_event,
    CAST(NULL AS VARCHAR) AS read_only,
    CAST(NULL AS VARCHAR) AS aws_region,
    CAST(NULL AS VARCHAR) AS recipient_account,
    CAST(NULL AS VARCHAR) AS parameter_names,
    CAST(NULL AS VARCHAR) AS parameters,
    CAST(NULL AS VARCHAR) AS resource_list,
    'false' AS is_cut,
    count(*) AS calls,
    day AS first_day,
    day AS last_day
FROM calls
GROUP BY day
