//! The forms that a bare policy is written in, and the place in each that says what the policy is for.

use super::marked::{self, Marked};
use crate::model::resource_types::{self, PolicyExample};
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

    /// The policy is said in other words, so that places cannot be compared byte for byte.
    pub(super) fn rewrites_text(self) -> bool {
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
            PolicyKind::Resource => {
                resource_types::examples(service.unwrap_or("s3")).find_map(|(holder, example)| {
                    let (property, _) = holder.policies.first()?;
                    match example {
                        PolicyExample::Cloudformation(others) => Some(plain(holder.name, property, others)),
                        _ => None,
                    }
                })?
            }
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
    others: &'static [(&'static str, &'static str)],
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
            PolicyKind::Identity => plain("aws_iam_policy", "policy", &[]),
            PolicyKind::Trust => plain("aws_iam_role", "assume_role_policy", &[]),
            PolicyKind::Boundary => Self {
                after: "\nresource \"aws_iam_role\" \"user\" {\n  permissions_boundary = aws_iam_policy.subject.arn\n  \
                        assume_role_policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \
                        \"sts:AssumeRole\", Principal = { Service = \"lambda.amazonaws.com\" } }] })\n}\n",
                ..plain("aws_iam_policy", "policy", &[])
            },
            PolicyKind::Session | PolicyKind::Unknown => return None,
            PolicyKind::Scp => plain(
                "aws_organizations_policy",
                "content",
                &[("name", "\"p\""), ("type", "\"SERVICE_CONTROL_POLICY\"")],
            ),
            PolicyKind::Rcp => plain(
                "aws_organizations_policy",
                "content",
                &[("name", "\"p\""), ("type", "\"RESOURCE_CONTROL_POLICY\"")],
            ),
            PolicyKind::Resource => {
                resource_types::examples(service.unwrap_or("s3")).find_map(|(_, example)| match example {
                    PolicyExample::Terraform(kind, attribute, others) => Some(plain(kind, attribute, others)),
                    _ => None,
                })?
            }
        })
    }

    fn with_policy(&self, policy: &str, before: &str) -> String {
        let others: String = self.others.iter().map(|(n, v)| format!("  {n} = {v}\n")).collect();
        format!(
            "{before}resource \"{}\" \"subject\" {{\n{others}  {} = {policy}\n}}\n{}",
            self.kind, self.attribute, self.after
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
        PolicyKind::Resource => {
            resource_types::examples(service.unwrap_or("s3")).find_map(|(_, example)| match example {
                PolicyExample::Boto3(client, call) => Some((client, call)),
                _ => None,
            })?
        }
    };
    Some(format!(
        "import json\n\nimport boto3\n\nPOLICY = {literal}\n\nboto3.client(\"{client}\").{call}\n"
    ))
}
