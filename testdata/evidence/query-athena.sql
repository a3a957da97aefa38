-- Counts the events of CloudTrail by who called what. Read the result, as CSV or JSON, with `overgrant evidence collect`.
-- The table is the one of the Athena User Guide, "Create a table for CloudTrail logs in Athena using partition projection":
--
-- CREATE EXTERNAL TABLE cloudtrail_logs_pp (
--   eventversion STRING,
--   useridentity STRUCT<
--     type: STRING, principalid: STRING, arn: STRING, accountid: STRING, invokedby: STRING, accesskeyid: STRING,
--     username: STRING, onbehalfof: STRUCT<userid: STRING, identitystorearn: STRING>,
--     sessioncontext: STRUCT<
--       attributes: STRUCT<mfaauthenticated: STRING, creationdate: STRING>,
--       sessionissuer: STRUCT<type: STRING, principalid: STRING, arn: STRING, accountid: STRING, username: STRING>,
--       ec2roledelivery: STRING,
--       webidfederationdata: STRUCT<federatedprovider: STRING, attributes: map<string,string>>>>,
--   eventtime STRING, eventsource STRING, eventname STRING, awsregion STRING, sourceipaddress STRING, useragent STRING,
--   errorcode STRING, errormessage STRING, requestparameters STRING, responseelements STRING, additionaleventdata STRING,
--   requestid STRING, eventid STRING, readonly STRING,
--   resources ARRAY<STRUCT<arn: STRING, accountid: STRING, type: STRING>>,
--   eventtype STRING, apiversion STRING, recipientaccountid STRING, serviceeventdetails STRING, sharedeventid STRING,
--   vpcendpointid STRING, eventcategory STRING)
-- PARTITIONED BY (`timestamp` string)
-- ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
-- STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
-- OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
-- LOCATION 's3://BUCKET/AWSLogs/ACCOUNT/CloudTrail/REGION'
-- TBLPROPERTIES (
--   'projection.enabled'='true',
--   'projection.timestamp.format'='yyyy/MM/dd',
--   'projection.timestamp.interval'='1',
--   'projection.timestamp.interval.unit'='DAYS',
--   'projection.timestamp.range'='2020/01/01,NOW',
--   'projection.timestamp.type'='date',
--   'storage.location.template'='s3://BUCKET/AWSLogs/ACCOUNT/CloudTrail/REGION/${timestamp}')
WITH events AS (
  SELECT
    useridentity.type AS user_type,
    CASE useridentity.type
      WHEN 'AssumedRole' THEN regexp_replace(useridentity.arn, '(:assumed-role/[^/]+)/.*$', '$1')
      WHEN 'FederatedUser' THEN CAST(NULL AS VARCHAR)
      ELSE useridentity.arn
    END AS user_arn,
    useridentity.sessioncontext.sessionissuer.arn AS issuer_arn,
    useridentity.accountid AS account_id,
    CASE WHEN useridentity.type = 'IAMUser' AND useridentity.arn IS NULL THEN useridentity.username END AS user_name,
    useridentity.invokedby AS invoked_by,
    CAST(NULL AS VARCHAR) AS identity_provider,
    useridentity.onbehalfof.identitystorearn AS identity_store,
    eventsource AS event_source,
    eventname AS event_name,
    CASE
      WHEN errorcode LIKE '%AccessDenied%' OR errorcode LIKE '%UnauthorizedOperation%'
        OR errorcode LIKE 'AuthorizationError%' OR errorcode = 'UnauthorizedAccess'
      THEN 'AccessDenied'
    END AS error_code,
    eventtype AS event_type,
    eventcategory AS event_category,
    CAST(NULL AS VARCHAR) AS management_event,
    readonly AS read_only,
    awsregion AS aws_region,
    recipientaccountid AS recipient_account,
    array_join(
      array_sort(map_keys(map_filter(
        TRY(CAST(json_parse(requestparameters) AS MAP(VARCHAR, JSON))),
        (k, v) -> v IS NOT NULL AND json_format(v) NOT IN ('null', '[]', '{}')))),
      ',') AS parameter_names,
    json_format(CAST(map_filter(
      MAP(
        ARRAY[
          'bucketName',
          'deliveryStreamName',
          'endpointName',
          'executionArn',
          'fileSystemId',
          'functionName',
          'key',
          'keyId',
          'logGroupName',
          'name',
          'path',
          'queueName',
          'queueUrl',
          'repositoryName',
          'roleArn',
          'secretId',
          'stateMachineArn',
          'streamARN',
          'streamName',
          'tableName',
          'targetArn',
          'topicArn',
          'userPoolId',
          'workGroup'
        ],
        ARRAY[
          json_extract_scalar(requestparameters, '$.bucketName'),
          json_extract_scalar(requestparameters, '$.deliveryStreamName'),
          json_extract_scalar(requestparameters, '$.endpointName'),
          json_extract_scalar(requestparameters, '$.executionArn'),
          json_extract_scalar(requestparameters, '$.fileSystemId'),
          json_extract_scalar(requestparameters, '$.functionName'),
          json_extract_scalar(requestparameters, '$.key'),
          json_extract_scalar(requestparameters, '$.keyId'),
          json_extract_scalar(requestparameters, '$.logGroupName'),
          json_extract_scalar(requestparameters, '$.name'),
          json_extract_scalar(requestparameters, '$.path'),
          json_extract_scalar(requestparameters, '$.queueName'),
          json_extract_scalar(requestparameters, '$.queueUrl'),
          json_extract_scalar(requestparameters, '$.repositoryName'),
          json_extract_scalar(requestparameters, '$.roleArn'),
          json_extract_scalar(requestparameters, '$.secretId'),
          json_extract_scalar(requestparameters, '$.stateMachineArn'),
          json_extract_scalar(requestparameters, '$.streamARN'),
          json_extract_scalar(requestparameters, '$.streamName'),
          json_extract_scalar(requestparameters, '$.tableName'),
          json_extract_scalar(requestparameters, '$.targetArn'),
          json_extract_scalar(requestparameters, '$.topicArn'),
          json_extract_scalar(requestparameters, '$.userPoolId'),
          json_extract_scalar(requestparameters, '$.workGroup')
        ]),
      (k, v) -> v IS NOT NULL) AS JSON)) AS parameters,
    json_format(CAST(array_sort(transform(
      filter(resources, r -> r.arn IS NOT NULL),
      r -> concat(coalesce(r.type, ''), '=', r.arn))) AS JSON)) AS resource_list,
    substr(eventtime, 1, 10) AS day
  FROM cloudtrail_logs_pp
  WHERE
    coalesce(eventcategory, '') <> 'Insight'
    AND eventtime >= date_format(current_timestamp - INTERVAL '90' DAY, '%Y-%m-%dT%H:%i:%sZ')
    -- Without this line if the table has no partition for each day.
    AND "timestamp" >= date_format(current_timestamp - INTERVAL '90' DAY, '%Y/%m/%d')
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
