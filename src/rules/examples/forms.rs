//! The forms that a bare policy is written in, and the place in each that says what the policy is for.

use super::marked::{self, Marked};
use crate::terms::PolicyKind;

/// How an example is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// As it stands in the rule file.
    Files,
    Json,
    CloudformationYaml,
    CloudformationJson,
    Sam,
    TerraformJsonencode,
    TerraformHeredoc,
    TerraformDocument,
    Python,
}

impl Form {
    /// Every form that [`Form::wrap`] writes.
    pub const WRAPPINGS: [Self; 8] = [
        Self::Json,
        Self::CloudformationYaml,
        Self::CloudformationJson,
        Self::Sam,
        Self::TerraformJsonencode,
        Self::TerraformHeredoc,
        Self::TerraformDocument,
        Self::Python,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Json => "policy JSON",
            Self::CloudformationYaml => "CloudFormation YAML",
            Self::CloudformationJson => "CloudFormation JSON",
            Self::Sam => "SAM",
            Self::TerraformJsonencode => "Terraform jsonencode",
            Self::TerraformHeredoc => "Terraform heredoc",
            Self::TerraformDocument => "Terraform policy document",
            Self::Python => "Python",
        }
    }

    /// The word of the command line: `--for terraform`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "json" => Self::Json,
            "cfn" | "cloudformation" | "yaml" => Self::CloudformationYaml,
            "sam" => Self::Sam,
            "terraform" | "tf" => Self::TerraformDocument,
            "python" | "boto3" => Self::Python,
            _ => return None,
        })
    }

    /// The format that reads it; files may need any.
    pub(super) fn format(self) -> Option<&'static str> {
        match self {
            Self::Files => None,
            Self::Json => Some("policy"),
            Self::CloudformationYaml | Self::CloudformationJson | Self::Sam => Some("cloudformation"),
            Self::TerraformJsonencode | Self::TerraformHeredoc | Self::TerraformDocument => Some("terraform"),
            Self::Python => Some("python"),
        }
    }

    /// The policy is said in other words, so that places cannot be compared byte for byte.
    pub(super) fn moves_text(self) -> bool {
        self == Self::TerraformDocument
    }

    /// For Markdown fences.
    pub(crate) fn language(self) -> &'static str {
        match self {
            Self::Files => "",
            Self::Json | Self::CloudformationJson => "json",
            Self::CloudformationYaml | Self::Sam => "yaml",
            Self::TerraformJsonencode | Self::TerraformHeredoc | Self::TerraformDocument => "hcl",
            Self::Python => "python",
        }
    }

    /// Path and text of a file that holds `policy` as a policy of `kind`; `None` where the form has no place for it.
    pub fn wrap(self, policy: &str, kind: PolicyKind, service: Option<&str>) -> Option<(String, String)> {
        let tree = marked::parse(policy);
        let text = match self {
            Self::Files => return None,
            Self::Json => {
                let by_shape = matches!(kind, PolicyKind::Identity | PolicyKind::Trust | PolicyKind::Resource);
                return by_shape.then(|| ("policy.json".to_owned(), policy.to_owned()));
            }
            Self::CloudformationYaml => {
                let place = TemplateForm::new(kind, service)?;
                place.yaml(&tree?)
            }
            Self::CloudformationJson => TemplateForm::new(kind, service)?.json(policy.trim()),
            Self::Sam => sam(kind, &tree?)?,
            Self::TerraformJsonencode => {
                // Broken JSON is no HCL either.
                tree?;
                HclForm::new(kind, service)?
                    .with_policy(&format!("jsonencode({})", marked::escape_hcl(policy.trim())), "")
            }
            Self::TerraformHeredoc => {
                let body = format!("<<EOF\n{}\nEOF", marked::escape_hcl(policy.trim()));
                HclForm::new(kind, service)?.with_policy(&body, "")
            }
            Self::TerraformDocument => {
                let body = tree?.terraform_document()?;
                let data = format!("data \"aws_iam_policy_document\" \"d\" {{\n{body}}}\n\n");
                HclForm::new(kind, service)?.with_policy("data.aws_iam_policy_document.d.json", &data)
            }
            Self::Python => python(kind, service, &tree?.inline(true))?,
        };
        let path = match self {
            Self::CloudformationYaml | Self::Sam => "template.yaml",
            Self::CloudformationJson => "template.json",
            Self::Python => "app.py",
            _ => "main.tf",
        };
        Some((path.to_owned(), text))
    }
}

/// A CloudFormation resource with a property that holds the policy.
struct TemplateForm {
    kind: &'static str,
    /// `Policies/0/PolicyDocument` is not needed: every kind has a property of its own.
    property: &'static str,
    /// Further properties as YAML flow and JSON both read them.
    others: &'static [(&'static str, &'static str)],
    /// A second resource that uses the first.
    user: Option<(&'static str, &'static [(&'static str, &'static str)])>,
}

const LAMBDA_TRUST: &str = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \
                            {\"Service\": \"lambda.amazonaws.com\"}, \"Action\": \"sts:AssumeRole\"}]}";

impl TemplateForm {
    fn new(kind: PolicyKind, service: Option<&str>) -> Option<Self> {
        let plain = |kind, property, others| Self {
            kind,
            property,
            others,
            user: None,
        };
        Some(match kind {
            PolicyKind::Identity => plain("AWS::IAM::ManagedPolicy", "PolicyDocument", &[]),
            PolicyKind::Trust => plain("AWS::IAM::Role", "AssumeRolePolicyDocument", &[]),
            PolicyKind::Boundary => Self {
                user: Some((
                    "AWS::IAM::Role",
                    &[
                        ("AssumeRolePolicyDocument", LAMBDA_TRUST),
                        ("PermissionsBoundary", "{\"Ref\": \"Subject\"}"),
                    ],
                )),
                ..plain("AWS::IAM::ManagedPolicy", "PolicyDocument", &[])
            },
            PolicyKind::Session | PolicyKind::Unknown => return None,
            PolicyKind::Scp => plain(
                "AWS::Organizations::Policy",
                "Content",
                &[("Name", "\"p\""), ("Type", "\"SERVICE_CONTROL_POLICY\"")],
            ),
            PolicyKind::Rcp => plain(
                "AWS::Organizations::Policy",
                "Content",
                &[("Name", "\"p\""), ("Type", "\"RESOURCE_CONTROL_POLICY\"")],
            ),
            PolicyKind::Resource => match service.unwrap_or("s3") {
                "s3" => plain(
                    "AWS::S3::BucketPolicy",
                    "PolicyDocument",
                    &[("Bucket", "\"example-bucket\"")],
                ),
                "sqs" => plain(
                    "AWS::SQS::QueuePolicy",
                    "PolicyDocument",
                    &[("Queues", "[\"https://sqs.eu-west-1.amazonaws.com/111122223333/q\"]")],
                ),
                "sns" => plain(
                    "AWS::SNS::TopicPolicy",
                    "PolicyDocument",
                    &[("Topics", "[\"arn:aws:sns:eu-west-1:111122223333:t\"]")],
                ),
                "kms" => plain("AWS::KMS::Key", "KeyPolicy", &[]),
                "secretsmanager" => plain(
                    "AWS::SecretsManager::ResourcePolicy",
                    "ResourcePolicy",
                    &[("SecretId", "\"s\"")],
                ),
                "ecr" => plain("AWS::ECR::Repository", "RepositoryPolicyText", &[]),
                "es" => plain("AWS::OpenSearchService::Domain", "AccessPolicies", &[]),
                "execute-api" => plain("AWS::ApiGateway::RestApi", "Policy", &[("Name", "\"api\"")]),
                "elasticfilesystem" => plain("AWS::EFS::FileSystem", "FileSystemPolicy", &[]),
                "backup" => plain(
                    "AWS::Backup::BackupVault",
                    "AccessPolicy",
                    &[("BackupVaultName", "\"v\"")],
                ),
                _ => return None,
            },
        })
    }

    fn yaml(&self, policy: &Marked) -> String {
        let mut out = format!("Resources:\n  Subject:\n    Type: {}\n    Properties:\n", self.kind);
        for (name, value) in self.others {
            out.push_str(&format!("      {name}: {value}\n"));
        }
        out.push_str(&format!("      {}:\n        {}\n", self.property, policy.yaml(8)));
        if let Some((kind, properties)) = self.user {
            out.push_str(&format!("  User:\n    Type: {kind}\n    Properties:\n"));
            for (name, value) in properties {
                out.push_str(&format!("      {name}: {value}\n"));
            }
        }
        out
    }

    fn json(&self, policy: &str) -> String {
        let property = |(name, value): &(&str, &str)| format!("\"{name}\": {value}, ");
        let others: String = self.others.iter().map(property).collect();
        let user = self.user.map(|(kind, properties)| {
            let properties: Vec<String> = properties.iter().map(|(n, v)| format!("\"{n}\": {v}")).collect();
            format!(
                ",\n    \"User\": {{\"Type\": \"{kind}\", \"Properties\": {{{}}}}}",
                properties.join(", ")
            )
        });
        format!(
            "{{\n  \"Resources\": {{\n    \"Subject\": {{\n      \"Type\": \"{}\",\n      \"Properties\": {{{others}\"{}\": \
             {policy}}}\n    }}{}\n  }}\n}}\n",
            self.kind,
            self.property,
            user.unwrap_or_default()
        )
    }
}

fn sam(kind: PolicyKind, policy: &Marked) -> Option<String> {
    let head = "Transform: AWS::Serverless-2016-10-31\nResources:\n  Subject:\n    Type: AWS::Serverless::Function\n    \
                Properties:\n      Handler: app.handler\n      Runtime: python3.13\n      CodeUri: src/\n";
    match kind {
        PolicyKind::Identity => Some(format!("{head}      Policies:\n        - {}\n", policy.yaml(10))),
        PolicyKind::Trust => Some(format!(
            "{head}      AssumeRolePolicyDocument:\n        {}\n",
            policy.yaml(8)
        )),
        _ => None,
    }
}

/// A Terraform resource with an attribute that holds the policy.
struct HclForm {
    kind: &'static str,
    attribute: &'static str,
    others: &'static str,
    after: &'static str,
}

impl HclForm {
    fn new(kind: PolicyKind, service: Option<&str>) -> Option<Self> {
        let plain = |kind, attribute, others| Self {
            kind,
            attribute,
            others,
            after: "",
        };
        Some(match kind {
            PolicyKind::Identity => plain("aws_iam_policy", "policy", ""),
            PolicyKind::Trust => plain("aws_iam_role", "assume_role_policy", ""),
            PolicyKind::Boundary => Self {
                after: "\nresource \"aws_iam_role\" \"user\" {\n  permissions_boundary = aws_iam_policy.subject.arn\n  \
                        assume_role_policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \
                        \"sts:AssumeRole\", Principal = { Service = \"lambda.amazonaws.com\" } }] })\n}\n",
                ..plain("aws_iam_policy", "policy", "")
            },
            PolicyKind::Session | PolicyKind::Unknown => return None,
            PolicyKind::Scp => plain(
                "aws_organizations_policy",
                "content",
                "  name = \"p\"\n  type = \"SERVICE_CONTROL_POLICY\"\n",
            ),
            PolicyKind::Rcp => plain(
                "aws_organizations_policy",
                "content",
                "  name = \"p\"\n  type = \"RESOURCE_CONTROL_POLICY\"\n",
            ),
            PolicyKind::Resource => match service.unwrap_or("s3") {
                "s3" => plain("aws_s3_bucket_policy", "policy", "  bucket = \"example-bucket\"\n"),
                "sqs" => plain(
                    "aws_sqs_queue_policy",
                    "policy",
                    "  queue_url = \"https://sqs.eu-west-1.amazonaws.com/111122223333/q\"\n",
                ),
                "sns" => plain(
                    "aws_sns_topic_policy",
                    "policy",
                    "  arn = \"arn:aws:sns:eu-west-1:111122223333:t\"\n",
                ),
                "kms" => plain("aws_kms_key", "policy", ""),
                "secretsmanager" => plain("aws_secretsmanager_secret_policy", "policy", "  secret_arn = \"s\"\n"),
                "ecr" => plain("aws_ecr_repository_policy", "policy", "  repository = \"r\"\n"),
                "es" => plain(
                    "aws_opensearch_domain_policy",
                    "access_policies",
                    "  domain_name = \"d\"\n",
                ),
                "execute-api" => plain("aws_api_gateway_rest_api_policy", "policy", "  rest_api_id = \"a\"\n"),
                "elasticfilesystem" => plain("aws_efs_file_system_policy", "policy", "  file_system_id = \"fs-1\"\n"),
                "backup" => plain("aws_backup_vault_policy", "policy", "  backup_vault_name = \"v\"\n"),
                "dynamodb" => plain(
                    "aws_dynamodb_resource_policy",
                    "policy",
                    "  resource_arn = \"arn:aws:dynamodb:eu-west-1:111122223333:table/t\"\n",
                ),
                "events" => plain(
                    "aws_cloudwatch_event_bus_policy",
                    "policy",
                    "  event_bus_name = \"b\"\n",
                ),
                "glacier" => plain("aws_glacier_vault", "access_policy", "  name = \"v\"\n"),
                _ => return None,
            },
        })
    }

    fn with_policy(&self, policy: &str, before: &str) -> String {
        format!(
            "{before}resource \"{}\" \"subject\" {{\n{}  {} = {policy}\n}}\n{}",
            self.kind, self.others, self.attribute, self.after
        )
    }
}

fn python(kind: PolicyKind, service: Option<&str>, literal: &str) -> Option<String> {
    let (client, call) = match kind {
        PolicyKind::Identity => (
            "iam",
            "create_policy(PolicyName=\"p\", PolicyDocument=json.dumps(POLICY))",
        ),
        PolicyKind::Trust => (
            "iam",
            "create_role(RoleName=\"r\", AssumeRolePolicyDocument=json.dumps(POLICY))",
        ),
        PolicyKind::Session => (
            "sts",
            "assume_role(RoleArn=\"arn:aws:iam::111122223333:role/r\", RoleSessionName=\"s\", Policy=json.dumps(POLICY))",
        ),
        PolicyKind::Scp => (
            "organizations",
            "create_policy(Content=json.dumps(POLICY), Description=\"\", Name=\"p\", Type=\"SERVICE_CONTROL_POLICY\")",
        ),
        PolicyKind::Rcp => (
            "organizations",
            "create_policy(Content=json.dumps(POLICY), Description=\"\", Name=\"p\", Type=\"RESOURCE_CONTROL_POLICY\")",
        ),
        PolicyKind::Boundary | PolicyKind::Unknown => return None,
        PolicyKind::Resource => match service.unwrap_or("s3") {
            "s3" => (
                "s3",
                "put_bucket_policy(Bucket=\"example-bucket\", Policy=json.dumps(POLICY))",
            ),
            "sqs" => (
                "sqs",
                "set_queue_attributes(QueueUrl=\"q\", Attributes={\"Policy\": json.dumps(POLICY)})",
            ),
            "sns" => (
                "sns",
                "set_topic_attributes(TopicArn=\"t\", AttributeName=\"Policy\", AttributeValue=json.dumps(POLICY))",
            ),
            "kms" => (
                "kms",
                "put_key_policy(KeyId=\"k\", PolicyName=\"default\", Policy=json.dumps(POLICY))",
            ),
            "secretsmanager" => (
                "secretsmanager",
                "put_resource_policy(SecretId=\"s\", ResourcePolicy=json.dumps(POLICY))",
            ),
            "ecr" => (
                "ecr",
                "set_repository_policy(repositoryName=\"r\", policyText=json.dumps(POLICY))",
            ),
            _ => return None,
        },
    };
    Some(format!(
        "import json\n\nimport boto3\n\nPOLICY = {literal}\n\nboto3.client(\"{client}\").{call}\n"
    ))
}
