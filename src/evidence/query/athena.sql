-- Counts the events of CloudTrail by who called what. Read the result, as CSV or JSON, with `overgrant evidence collect`.
-- The table is the one of the Athena User Guide, "Create a table for CloudTrail logs in Athena using partition projection":
--
-- CREATE EXTERNAL TABLE {TABLE} (
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
      {PARAMETERS},
      (k, v) -> v IS NOT NULL) AS JSON)) AS parameters,
    json_format(CAST(array_sort(transform(
      filter(resources, r -> r.arn IS NOT NULL),
      r -> concat(coalesce(r.type, ''), '=', r.arn))) AS JSON)) AS resource_list,
    substr(eventtime, 1, 10) AS day
  FROM {TABLE}
  WHERE
    coalesce(eventcategory, '') <> 'Insight'
{SINCE}
),
