//! Files that plainly define IAM in a language that is not read.

use crate::classify::without_template_ending;
use crate::iam::catalogue;
use crate::source::file_name;
use crate::unjudged::Language;

/// Endings of source code. Python and what holds credentials only are no part of it.
const CODE: &[&str] = &[
    "bash", "cjs", "cs", "cts", "fs", "go", "groovy", "java", "js", "jsx", "kt", "mjs", "mts", "php", "ps1", "rb",
    "rs", "scala", "sh", "swift", "ts", "tsx", "vb", "zsh",
];
const DOCUMENTATION: &[&str] = &["adoc", "asciidoc", "markdown", "md", "mdx", "rst"];

/// Modules of the CDK (AWS CDK Developer Guide, "Working with the AWS CDK in supported programming languages").
const CDK: &[&str] = &[
    "aws-cdk-lib",
    "@aws-cdk/",
    "software.amazon.awscdk",
    "github.com/aws/aws-cdk-go",
    "Amazon.CDK",
];
/// What defines IAM with them: constructs, also those that get a role of their own, and methods that grant.
const CDK_IAM: &[&str] = &[
    "PolicyStatement",
    "PolicyDocument",
    "ManagedPolicy",
    "ToRolePolicy",
    "CfnPolicy",
    "CfnRole",
    "iam.Role",
    "new Role(",
    "Role.Builder",
    "NewRole(",
    ".grant",
    ".Grant",
    "Function(",
    "Function.Builder",
    "StateMachine(",
    "StateMachine.Builder",
    "TaskDefinition",
    "LoadBalancedFargateService",
    "codebuild.",
    "CodeBuild",
    "AutoScalingGroup",
    "AwsCustomResource",
];
/// Pulumi and CDK for Terraform.
const OTHER_TOOLS: &[&str] = &[
    "@pulumi/aws",
    "pulumi/pulumi-aws",
    "Pulumi.Aws",
    "com.pulumi.aws",
    "@cdktf/provider-aws",
    "cdktf-provider-aws",
    "com.hashicorp.cdktf",
];
const OTHER_IAM: &[&str] = &[
    "iam.Policy",
    "iam.Role",
    "iam.UserPolicy",
    "iam.GroupPolicy",
    "iam.getPolicyDocument",
    "iam.NewRole",
    "iam.NewPolicy",
    "Iam.Role",
    "Iam.Policy",
    "IamRole",
    "IamPolicy",
    "RolePolicy",
    "aws.iam",
];

/// What the file at `path` defines in a language that is not read.
pub fn unread_language(path: &str, text: &str) -> Option<Language> {
    let name = file_name(path);
    let (_, extension) = name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if let Some(inner) = without_template_ending(name) {
        let ending = inner.rsplit_once('.').map_or("", |(_, e)| e);
        let documentation = ending == "html" || DOCUMENTATION.contains(&ending);
        return match documentation {
            true => contains_policy(text).then_some(Language::Markdown),
            false => (says(&["AWS::IAM::", "\"aws_iam_"]) || contains_policy(text)).then_some(Language::Template),
        };
    }
    if name.ends_with(".pkr.hcl") {
        return contains_policy(text).then_some(Language::Source);
    }
    if extension == "snap" {
        return (says(&["AWS::IAM::", "PolicyDocument"]) || contains_policy(text)).then_some(Language::Snapshot);
    }
    if DOCUMENTATION.contains(&&*extension) {
        return contains_policy(text).then_some(Language::Markdown);
    }
    if !CODE.contains(&&*extension) {
        return None;
    }
    if says(CDK) && says(CDK_IAM) {
        return Some(Language::Cdk);
    }
    if says(OTHER_TOOLS) && says(OTHER_IAM) {
        return Some(Language::OtherTool);
    }
    let serverless = name.starts_with("serverless.") && says(&["iamRoleStatements", "statements"]) && says(&["Effect"]);
    // What a Lambda authorizer answers is no policy of an identity (API Gateway Developer Guide, "Output from an API
    // Gateway Lambda authorizer").
    let authorizer = text.contains("execute-api:Invoke");
    let is_aws = || says(&["2012-10-17", "AWS::IAM::"]) || contains_action(text);
    (serverless || !authorizer && contains_policy(text) && is_aws()).then_some(Language::Source)
}

/// A literal of the text is an action of AWS: `"s3:GetObject"`, `'ec2:Describe*'`.
fn contains_action(text: &str) -> bool {
    text.match_indices(':').any(|(at, _)| {
        let before = &text[..at];
        let service = &before[before
            .trim_end_matches(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            .len()..];
        let rest = &text[at + 1..];
        let name = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '*')
            .unwrap_or(rest.len());
        let quotes = ['"', '\'', '`'];
        let quoted = before[..at - service.len()].ends_with(quotes) && rest[name..].starts_with(quotes);
        quoted && rest.starts_with(|c: char| c.is_ascii_uppercase()) && catalogue().service(service).is_some()
    })
}

/// The text has a policy in it, as JSON, YAML, HCL, or the objects of a language.
fn contains_policy(text: &str) -> bool {
    let key = |word: &str| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].trim_start_matches(['"', '\'', '`', '\\', ' ', '\t']);
            !before.is_some_and(char::is_alphanumeric) && after.starts_with([':', '=', ',', '{'])
        })
    };
    key("Effect") && (key("Action") || key("NotAction")) && key("Statement")
        || text.contains("aws_iam_policy_document\"") && text.contains("statement {")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_that_define_iam_are_told_from_those_that_do_not() {
        let cdk = r"import * as iam from 'aws-cdk-lib/aws-iam';
new iam.PolicyStatement({ actions: ['s3:*'] });
";
        let java = r"import software.amazon.awscdk.services.s3.Bucket;
bucket.grantReadWrite(function);
";
        let go = r#"import "github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
awsiam.NewRole(stack, jsii.String("r"), nil)
"#;
        let cs = r"using Amazon.CDK.AWS.IAM;
new PolicyStatement(new PolicyStatementProps());
";
        let pulumi = r#"import * as aws from "@pulumi/aws";
new aws.iam.Role("r", {});
"#;
        let literal =
            "const p = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };";
        let guide = r#"```json
{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
```
"#;
        let snapshot = r#"exports[`s`] = `{ "Type": "AWS::IAM::Policy" }`;"#;
        for (path, text, expected) in [
            ("lib/stack.ts", cdk, Some(Language::Cdk)),
            ("lib/stack.js", cdk, Some(Language::Cdk)),
            (
                "app.ts",
                r"import { App, Stack, aws_lambda } from 'aws-cdk-lib';
new aws_lambda.Function(stack, 'F', { code: aws_lambda.Code.fromAsset('src') });
",
                Some(Language::Cdk),
            ),
            (
                "lib/web.ts",
                r"import * as s3 from 'aws-cdk-lib/aws-s3';
new s3.Bucket(this, 'Assets', {});
",
                None,
            ),
            ("src/main/java/App.java", java, Some(Language::Cdk)),
            ("main.go", go, Some(Language::Cdk)),
            ("src/App.cs", cs, Some(Language::Cdk)),
            ("index.ts", pulumi, Some(Language::OtherTool)),
            ("src/policy.js", literal, Some(Language::Source)),
            ("docs/install.md", guide, Some(Language::Markdown)),
            ("test/__snapshots__/s.test.ts.snap", snapshot, Some(Language::Snapshot)),
            (
                "lib/stack.ts",
                r"import { Stack } from 'aws-cdk-lib';
export class S extends Stack {}
",
                None,
            ),
            (
                "src/sum.ts",
                "export const sum = (a: number, b: number) => a + b;\n",
                None,
            ),
            (
                "auth.js",
                "{ Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: e }] }",
                None,
            ),
            (
                "bootstrap/csi.go",
                r#"iam.PolicyDocument{Statement: []Entry{{Effect: Allow, Action: Actions{"ec2:AttachVolume"}}}}"#,
                Some(Language::Source),
            ),
            (
                "templates/bastion.rb",
                "PolicyDocument: { Statement: [ { Effect: 'Allow', Action: ['ec2:Describe*'], Resource: '*' } ] }",
                Some(Language::Source),
            ),
            (
                "stack-policy.ts",
                "{ Statement: [{ Effect: 'Deny', Action: 'Update:*', Principal: '*', Resource: '*' }] }",
                None,
            ),
            (
                "image.pkr.hcl",
                r#"temporary_iam_instance_profile_policy_document {
  Statement {
    Action = ["ssm:*"]
    Effect = "Allow"
  }
}
"#,
                Some(Language::Source),
            ),
            (
                "main.tf.erb",
                r#"resource "aws_iam_policy" "a" {
<% if a %>
}
"#,
                Some(Language::Template),
            ),
            ("nginx.conf.erb", "server <%= a %>;", None),
            ("runbooks/access.html.md.erb", guide, Some(Language::Markdown)),
            ("README.md", "The effect of this statement: an action.\n", None),
            ("stack.py", cdk, None),
        ] {
            assert_eq!(unread_language(path, text), expected, "{path}: {text}");
        }
    }
}
