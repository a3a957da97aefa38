//! Every kind of resource that carries a policy of its own: open to everyone it is reported, for one account it is not.

use std::collections::BTreeSet;

use crate::support::repository::Repository;

/// A type of CloudFormation, the property that holds the policy, an action.
const CLOUDFORMATION: &[(&str, &str, &str)] = &[
    ("AWS::ApiGateway::RestApi", "Policy", "execute-api:Invoke"),
    ("AWS::Backup::BackupVault", "AccessPolicy", "backup:CopyIntoBackupVault"),
    (
        "AWS::CodeArtifact::Domain",
        "PermissionsPolicyDocument",
        "codeartifact:ReadFromRepository",
    ),
    (
        "AWS::CodeArtifact::Repository",
        "PermissionsPolicyDocument",
        "codeartifact:ReadFromRepository",
    ),
    (
        "AWS::ECR::PublicRepository",
        "RepositoryPolicyText",
        "ecr-public:PutImage",
    ),
    ("AWS::ECR::Repository", "RepositoryPolicyText", "ecr:BatchGetImage"),
    (
        "AWS::EFS::FileSystem",
        "FileSystemPolicy",
        "elasticfilesystem:ClientMount",
    ),
    ("AWS::Elasticsearch::Domain", "AccessPolicies", "es:ESHttpGet"),
    ("AWS::EventSchemas::RegistryPolicy", "Policy", "schemas:DescribeSchema"),
    ("AWS::Events::EventBus", "Policy", "events:PutEvents"),
    ("AWS::KMS::Key", "KeyPolicy", "kms:Decrypt"),
    ("AWS::KMS::ReplicaKey", "KeyPolicy", "kms:Decrypt"),
    ("AWS::Kinesis::ResourcePolicy", "ResourcePolicy", "kinesis:GetRecords"),
    (
        "AWS::Logs::Destination",
        "DestinationPolicy",
        "logs:PutSubscriptionFilter",
    ),
    ("AWS::Logs::ResourcePolicy", "PolicyDocument", "logs:PutLogEvents"),
    ("AWS::MSK::ClusterPolicy", "Policy", "kafka:CreateVpcConnection"),
    ("AWS::MediaStore::Container", "Policy", "mediastore:GetObject"),
    ("AWS::OpenSearchService::Domain", "AccessPolicies", "es:ESHttpGet"),
    ("AWS::S3::AccessPoint", "Policy", "s3:GetObject"),
    ("AWS::S3::BucketPolicy", "PolicyDocument", "s3:GetObject"),
    ("AWS::S3::MultiRegionAccessPointPolicy", "Policy", "s3:GetObject"),
    (
        "AWS::S3Express::BucketPolicy",
        "PolicyDocument",
        "s3express:CreateSession",
    ),
    (
        "AWS::S3ObjectLambda::AccessPointPolicy",
        "PolicyDocument",
        "s3-object-lambda:GetObject",
    ),
    (
        "AWS::S3Tables::TableBucketPolicy",
        "ResourcePolicy",
        "s3tables:GetTable",
    ),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", "sns:Publish"),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", "sqs:SendMessage"),
    (
        "AWS::SecretsManager::ResourcePolicy",
        "ResourcePolicy",
        "secretsmanager:GetSecretValue",
    ),
    ("AWS::VpcLattice::AuthPolicy", "Policy", "vpc-lattice-svcs:Invoke"),
    ("AWS::VpcLattice::ResourcePolicy", "Policy", "vpc-lattice:GetService"),
];

/// A type of Terraform, the argument that holds the policy, an action.
const TERRAFORM: &[(&str, &str, &str)] = &[
    ("aws_acmpca_policy", "policy", "acm-pca:IssueCertificate"),
    ("aws_api_gateway_rest_api", "policy", "execute-api:Invoke"),
    ("aws_api_gateway_rest_api_policy", "policy", "execute-api:Invoke"),
    ("aws_backup_vault_policy", "policy", "backup:CopyIntoBackupVault"),
    ("aws_cloudwatch_event_bus_policy", "policy", "events:PutEvents"),
    (
        "aws_cloudwatch_log_destination_policy",
        "access_policy",
        "logs:PutSubscriptionFilter",
    ),
    (
        "aws_cloudwatch_log_resource_policy",
        "policy_document",
        "logs:PutLogEvents",
    ),
    (
        "aws_codeartifact_domain_permissions_policy",
        "policy_document",
        "codeartifact:ReadFromRepository",
    ),
    (
        "aws_codeartifact_repository_permissions_policy",
        "policy_document",
        "codeartifact:ReadFromRepository",
    ),
    ("aws_dynamodb_resource_policy", "policy", "dynamodb:GetItem"),
    ("aws_ecr_repository_policy", "policy", "ecr:BatchGetImage"),
    ("aws_ecrpublic_repository_policy", "policy", "ecr-public:PutImage"),
    ("aws_efs_file_system_policy", "policy", "elasticfilesystem:ClientMount"),
    ("aws_elasticsearch_domain", "access_policies", "es:ESHttpGet"),
    ("aws_elasticsearch_domain_policy", "access_policies", "es:ESHttpGet"),
    ("aws_glacier_vault", "access_policy", "glacier:InitiateJob"),
    ("aws_glue_resource_policy", "policy", "glue:GetTable"),
    ("aws_kinesis_resource_policy", "policy", "kinesis:GetRecords"),
    ("aws_kms_key", "policy", "kms:Decrypt"),
    ("aws_kms_key_policy", "policy", "kms:Decrypt"),
    ("aws_media_store_container_policy", "policy", "mediastore:GetObject"),
    ("aws_msk_cluster_policy", "policy", "kafka:CreateVpcConnection"),
    ("aws_opensearch_domain", "access_policies", "es:ESHttpGet"),
    ("aws_opensearch_domain_policy", "access_policies", "es:ESHttpGet"),
    ("aws_s3_access_point", "policy", "s3:GetObject"),
    ("aws_s3_bucket_policy", "policy", "s3:GetObject"),
    ("aws_secretsmanager_secret", "policy", "secretsmanager:GetSecretValue"),
    (
        "aws_secretsmanager_secret_policy",
        "policy",
        "secretsmanager:GetSecretValue",
    ),
    ("aws_ses_identity_policy", "policy", "ses:SendEmail"),
    ("aws_sns_topic", "policy", "sns:Publish"),
    ("aws_sns_topic_policy", "policy", "sns:Publish"),
    ("aws_sqs_queue", "policy", "sqs:SendMessage"),
    ("aws_sqs_queue_policy", "policy", "sqs:SendMessage"),
    ("aws_vpclattice_auth_policy", "policy", "vpc-lattice-svcs:Invoke"),
];

/// What is written in another way: the rule, and a resource with `PRINCIPAL` for who may.
const OTHERS: &[(&str, &str, &str)] = &[
    (
        "dynamodb.yaml",
        "resource-policy-public",
        r"Resources:
  R:
    Type: AWS::DynamoDB::Table
    Properties:
      ResourcePolicy:
        PolicyDocument:
          Version: '2012-10-17'
          Statement: [{Effect: Allow, Principal: {AWS: 'PRINCIPAL'}, Action: 'dynamodb:GetItem', Resource: '*'}]
",
    ),
    (
        "bus-statement.yaml",
        "resource-policy-public",
        r"Resources:
  R:
    Type: AWS::Events::EventBusPolicy
    Properties:
      StatementId: s
      Statement: {Effect: Allow, Principal: {AWS: 'PRINCIPAL'}, Action: 'events:PutEvents', Resource: '*'}
",
    ),
    (
        "bus-parts.yaml",
        "resource-policy-public",
        r"Resources:
  R:
    Type: AWS::Events::EventBusPolicy
    Properties:
      StatementId: s
      Action: events:PutEvents
      Principal: 'PRINCIPAL'
",
    ),
    (
        "bus.tf",
        "resource-policy-public",
        r#"resource "aws_cloudwatch_event_permission" "r" {
  principal    = "PRINCIPAL"
  statement_id = "s"
}
"#,
    ),
    (
        "function.yaml",
        "lambda-permission-public",
        r"Resources:
  R:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: f
      Action: lambda:InvokeFunction
      Principal: 'PRINCIPAL'
",
    ),
    (
        "function.tf",
        "lambda-permission-public",
        r#"resource "aws_lambda_permission" "r" {
  function_name = "f"
  action        = "lambda:InvokeFunction"
  principal     = "PRINCIPAL"
}
"#,
    ),
    (
        "layer.tf",
        "lambda-permission-public",
        r#"resource "aws_lambda_layer_version_permission" "r" {
  layer_name     = "l"
  version_number = 1
  statement_id   = "s"
  action         = "lambda:GetLayerVersion"
  principal      = "PRINCIPAL"
}
"#,
    ),
    (
        "endpoint.yaml",
        "vpc-endpoint-policy-star",
        r"Resources:
  R:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: v
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {AWS: 'PRINCIPAL'}, Action: '*', Resource: '*'}]
",
    ),
    (
        "endpoint.tf",
        "vpc-endpoint-policy-star",
        r#"resource "aws_vpc_endpoint_policy" "r" {
  vpc_endpoint_id = "v"
  policy          = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "PRINCIPAL" }, Action = "*", Resource = "*" }] })
}
"#,
    ),
];

fn public_statement(action: &str, principal: &str) -> String {
    // A repository's policy has no `Resource`, and takes none.
    let resource = if action.starts_with("ecr") {
        ""
    } else {
        r#","Resource":"*""#
    };
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"{action}"{resource}}}]}}"#
    )
}

/// Each as a file of its own, with the rule that is about it.
fn policy_of_each_type(principal: &str) -> Vec<(String, &'static str, String)> {
    let cloudformation = CLOUDFORMATION.iter().map(|(kind, slot, action)| {
        let policy = public_statement(action, principal);
        let text = format!(r#"{{"Resources":{{"R":{{"Type":"{kind}","Properties":{{"{slot}":{policy}}}}}}}}}"#);
        (
            format!("{}.json", kind.replace("::", "-")),
            "resource-policy-public",
            text,
        )
    });
    let terraform = TERRAFORM.iter().map(|(kind, slot, action)| {
        let policy = public_statement(action, principal);
        let text = format!(
            r#"resource "{kind}" "r" {{
  {slot} = jsonencode({policy})
}}
"#
        );
        (format!("{kind}/main.tf"), "resource-policy-public", text)
    });
    let others = OTHERS.iter().map(|(name, rule, text)| {
        (
            format!("{}/{name}", name.replace('.', "-")),
            *rule,
            text.replace("PRINCIPAL", principal),
        )
    });
    cloudformation.chain(terraform).chain(others).collect()
}

fn rules_by_path(principal: &str) -> BTreeSet<(String, String)> {
    let files = policy_of_each_type(principal);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, _, text)| (name.as_str(), text.as_str()))
        .collect();
    let findings = Repository::new(&files).check(&["."]).findings();
    let text = |f: &serde_json::Value, key: &str| f[key].as_str().unwrap().to_owned();
    findings.iter().map(|f| (text(f, "path"), text(f, "rule"))).collect()
}

#[test]
fn every_policy_that_lets_in_everybody_is_told() {
    let found = rules_by_path("*");
    let missing: Vec<_> = policy_of_each_type("*")
        .into_iter()
        .filter(|(name, rule, _)| !found.contains(&(name.clone(), (*rule).to_owned())))
        .map(|(name, rule, _)| format!("{name}: {rule}"))
        .collect();
    assert!(
        missing.is_empty(),
        r"{missing:#?}
{found:#?}"
    );
}

#[test]
fn none_that_names_an_account_is() {
    let rules: BTreeSet<_> = policy_of_each_type("").into_iter().map(|(_, rule, _)| rule).collect();
    let wrong: Vec<_> = rules_by_path("111122223333")
        .into_iter()
        .filter(|(_, rule)| rules.contains(rule.as_str()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_open_routes_of_an_api_are_one_finding() {
    let event = |name: &str, kind: &str, method: &str| {
        format!("        {name}: {{Type: {kind}, Properties: {{Path: /{name}, Method: {method}}}}}\n")
    };
    let template = |events: &[String]| {
        format!(
            r"Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.h
      Events:
{}",
            events.concat()
        )
    };
    let severities = |events: &[String]| severities(&[("t.yaml", &*template(events))], "apigw-method-no-auth");
    assert_eq!(
        severities(&[event("a", "Api", "get"), event("b", "Api", "post")]),
        ["medium"]
    );
    assert_eq!(
        severities(&[event("a", "Api", "get"), event("b", "Api", "head")]),
        ["low"]
    );
    assert_eq!(
        severities(&[event("a", "Api", "get"), event("b", "HttpApi", "any")]),
        ["low", "medium"]
    );
}

/// The severities of one rule on files.
fn severities(files: &[(&str, &str)], rule: &str) -> Vec<String> {
    let ran = Repository::new(files).run(&["check", "-f", "json", "--only", rule]);
    let all = ran.json()["findings"].as_array().unwrap().clone();
    let severity = |f: &serde_json::Value| f["severity"].as_str().unwrap().to_owned();
    all.iter().map(severity).collect()
}

#[test]
fn what_a_service_wildcard_gives_on_its_resources_decides_how_grave_it_is() {
    let policy = |action: &str, resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":{resource}}}]}}"#
        )
    };
    for (action, resource, expected) in [
        ("s3:*", r#"["arn:aws:s3:::reports","arn:aws:s3:::reports/*"]"#, "medium"),
        ("s3:*", r#"["arn:aws:s3:::reports-*"]"#, "medium"),
        ("s3:*", r#""*""#, "high"),
        ("s3:*", r#"["arn:aws:s3:::reports","arn:aws:s3:::*"]"#, "high"),
        ("sqs:*", r#""arn:aws:sqs:*:111122223333:*""#, "high"),
        ("iam:*", r#""arn:aws:iam::111122223333:role/app""#, "high"),
        ("iam:*", r#""*""#, "critical"),
    ] {
        let found = severities(&[("p.json", &policy(action, resource))], "service-wildcard");
        assert_eq!(found, [expected], "{action} {resource}");
    }
    // Of one list, what is critical stays by itself, and the rest is one finding.
    let list = r#"["sqs:*","iam:*","ssmmessages:*","sns:*"]"#;
    let text = policy("ACTIONS", r#""*""#).replace(r#""ACTIONS""#, list);
    assert_eq!(
        severities(&[("p.json", &text)], "service-wildcard"),
        ["high", "critical"]
    );
}

#[test]
fn a_key_for_cloudwatch_logs_is_less_than_a_key_for_any_caller() {
    let policy = |service: &str| {
        format!(
            r#"resource "aws_kms_key" "k" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{
    Effect = "Allow", Principal = {{ Service = "{service}" }}, Resource = "*",
    Action = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:Describe*"]
  }}] }})
}}
"#
        )
    };
    for (service, expected) in [
        ("logs.eu-west-1.amazonaws.com", "medium"),
        ("logs.${var.region}.amazonaws.com", "medium"),
        ("cloudtrail.amazonaws.com", "high"),
    ] {
        let found = severities(&[("main.tf", &policy(service))], "service-principal-without-source");
        assert_eq!(found, [expected], "{service}");
    }
}

#[test]
fn a_block_for_the_account_or_the_bucket_makes_a_public_policy_less() {
    let policy = r#"
resource "aws_s3_bucket" "b" {}
resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "${aws_s3_bucket.b.arn}/*"
  }] })
}
"#;
    let block = |kind: &str, bucket: &str| {
        format!(
            r#"{policy}resource "{kind}" "b" {{
  {bucket}
  block_public_policy = true
  restrict_public_buckets = true
}}
"#
        )
    };
    for (text, expected) in [
        (policy.to_owned(), "high"),
        (block("aws_s3_account_public_access_block", ""), "low"),
        (
            block("aws_s3_bucket_public_access_block", "bucket = aws_s3_bucket.b.id"),
            "low",
        ),
        (
            block("aws_s3_bucket_public_access_block", "bucket = aws_s3_bucket.other.id"),
            "high",
        ),
    ] {
        assert_eq!(
            severities(&[("main.tf", &text)], "resource-policy-public"),
            [expected],
            "{text}"
        );
    }
}
