//! `diff` where a name, a principal, or a limit is known only in part.

use crate::support::diff::{changes, compared, edited, only, unknown, words};

const ROLE: &str = r"Parameters:
  Limit: {Type: String, Default: ''}
  Needed: {Type: String}
Conditions:
  HasLimit: !Not [!Equals [!Ref Limit, '']]
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: ec2.amazonaws.com}}]
      PermissionsBoundary: !If [HasLimit, !Ref Limit, !Ref AWS::NoValue]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:eu-west-1:111122223333:a'}]
";

#[test]
fn a_boundary_that_need_not_be_there_limits_no_gain() {
    let optional = edited("t.yaml", ROLE, "'sqs:SendMessage'", "'sqs:*'");
    assert_eq!((changes(&optional, "gained").len(), unknown(&optional).len()), (1, 0));
    let required = ROLE.replace("!If [HasLimit, !Ref Limit, !Ref AWS::NoValue]", "!Ref Needed");
    let json = edited("t.yaml", &required, "'sqs:SendMessage'", "'sqs:*'");
    assert_eq!((changes(&json, "gained").len(), unknown(&json).len()), (0, 1));
    // Another boundary is another limit, and without the role there is none.
    let other = edited(
        "t.yaml",
        ROLE,
        "!If [HasLimit, !Ref Limit, !Ref AWS::NoValue]",
        "!Ref Needed",
    );
    assert!(unknown(&other)[0].starts_with("has another boundary"), "{other:#}");
    let at = ROLE.find("  R:").unwrap();
    let gone = compared(
        &[("t.yaml", ROLE)],
        &[("t.yaml", &format!("{}  T: {{Type: AWS::SNS::Topic}}\n", &ROLE[..at]))],
    );
    assert_eq!((changes(&gone, "lost").len(), unknown(&gone).len()), (2, 0));
}

#[test]
fn optional_boundaries_of_terraform() {
    let of = |boundary: &str, more: &str| {
        format!(
            r#"variable "none" {{
  default = null
}}
variable "empty" {{
  default = ""
}}
variable "needed" {{}}
resource "aws_iam_role" "r" {{
  name                 = "r"
  assume_role_policy   = jsonencode({{ Statement = [] }})
  permissions_boundary = {boundary}
}}
resource "aws_iam_role_policy" "p" {{
  role   = aws_iam_role.r.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = ["s3:ListAllMyBuckets"{more}], Resource = "*" }}] }})
}}
"#
        )
    };
    for boundary in [
        "var.none",
        "var.empty != \"\" ? var.empty : null",
        "var.empty == \"\" ? null : var.empty",
    ] {
        let old = of(boundary, "");
        let json = compared(&[("m.tf", &old)], &[("m.tf", &of(boundary, ", \"sqs:ListQueues\""))]);
        only(&json, &["aws_iam_role.r: sqs:ListQueues on *"], &[]);
    }
    let json = compared(
        &[("m.tf", &of("var.needed", ""))],
        &[("m.tf", &of("var.needed", ", \"sqs:ListQueues\""))],
    );
    assert_eq!((changes(&json, "gained").len(), unknown(&json).len()), (0, 1));
}

#[test]
fn a_renamed_role_is_the_role_that_things_run_as() {
    let template = "Resources:
  Profile:
    Type: AWS::IAM::InstanceProfile
    Properties: {Roles: [!Ref R]}
  F:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt R.Arn, Handler: a.b, Runtime: nodejs22.x, Code: {S3Bucket: b, S3Key: k}}
"
    .to_owned()
        + &ROLE[ROLE.find("  R:").unwrap()..]
            .replace("!If [HasLimit, !Ref Limit, !Ref AWS::NoValue]", "!Ref AWS::NoValue");
    let renamed = template
        .replace("  R:", "  Other:")
        .replace("!Ref R]", "!Ref Other]")
        .replace("R.Arn", "Other.Arn");
    let json = compared(&[("t.yaml", &template)], &[("t.yaml", &renamed)]);
    only(&json, &[], &[]);
    assert_eq!(json["moved"].as_array().unwrap().len(), 1);
    // Another role is another role.
    let two = format!(
        "{template}{}",
        template[template.find("  R:").unwrap()..].replace("  R:", "  S:")
    );
    let json = compared(&[("t.yaml", &two)], &[("t.yaml", &two.replace("R.Arn", "S.Arn"))]);
    assert_eq!(unknown(&json), ["runs as another role, by `Role`"]);
}

#[test]
fn principals_that_are_references_are_themselves() {
    let trust = r#"resource "aws_iam_openid_connect_provider" "g" {
  url = "https://token.actions.githubusercontent.com"
}
resource "aws_iam_role" "ci" {
  name = "ci"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow"
    Action    = "sts:AssumeRoleWithWebIdentity"
    Principal = { Federated = PROVIDER }
    Condition = { StringLike = { "token.actions.githubusercontent.com:sub" = "repo:org/x:*" } }
  }] })
}
"#;
    let providers = [
        "aws_iam_openid_connect_provider.g.arn",
        "[aws_iam_openid_connect_provider.g.arn]",
        "module.eks.oidc_provider_arn",
        "var.p",
    ];
    for provider in providers {
        let json = edited("m.tf", &trust.replace("PROVIDER", provider), "repo:org/x:*", "repo:*");
        assert_eq!(
            (changes(&json, "gained").len(), unknown(&json).len()),
            (1, 0),
            "{provider} {json:#}"
        );
        let by = json["gained"][0]["request"]["principal"].as_str().unwrap();
        assert!(by.starts_with("arn:aws:iam::111122223333:oidc-provider/"), "{by}");
    }
}

const BUCKET: &str = r"Parameters:
  Name: {Type: String, Default: ''}
Conditions:
  HasName: !Not [!Equals [!Ref Name, '']]
Resources:
  Oai:
    Type: AWS::CloudFront::CloudFrontOriginAccessIdentity
    Properties: {CloudFrontOriginAccessIdentityConfig: {Comment: c}}
  B:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !If [HasName, !Ref Name, !Ref AWS::NoValue]
  P:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref B
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {CanonicalUser: !GetAtt Oai.S3CanonicalUserId}
            Action: s3:GetObject
            Resource: !Sub ${B.Arn}/a/*
";

#[test]
fn what_cloudfront_reads_with_is_a_principal() {
    let json = edited("t.yaml", BUCKET, "/a/*", "/*");
    only(
        &json,
        &["B: s3:GetObject on arn:aws:s3:::${B}/* for ${Oai.S3CanonicalUserId}"],
        &[],
    );
    let by = json["gained"][0]["request"]["principal"].as_str().unwrap();
    assert!(by.len() == 64 && by.bytes().all(|b| b.is_ascii_hexdigit()), "{by}");
    let literal = BUCKET.replace(
        "{CanonicalUser: !GetAtt Oai.S3CanonicalUserId}",
        "{AWS: !Sub 'arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity ${Oai}'}",
    );
    let json = edited("t.yaml", &literal, "/a/*", "/*");
    assert_eq!(
        (changes(&json, "gained").len(), unknown(&json).len()),
        (1, 0),
        "{json:#}"
    );
}

#[test]
fn a_policy_on_a_resource_is_about_that_resource_whatever_its_name_is() {
    // Every object of the bucket, and no access point.
    only(
        &edited("t.yaml", BUCKET, "!Sub ${B.Arn}/a/*", "'*'"),
        &["B: s3:GetObject on arn:aws:s3:::${B}/* for ${Oai.S3CanonicalUserId}"],
        &[],
    );
    only(
        &edited("t.yaml", &BUCKET.replace("/a/*", "/*"), "!Sub ${B.Arn}/*", "'*'"),
        &[],
        &[],
    );
    let named = |name: &str, resource: &str| {
        format!(
            r#"variable "env" {{}}
resource "aws_s3_bucket" "b" {{
  bucket = {name}
}}
resource "aws_s3_bucket_policy" "b" {{
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = {resource} }}] }})
}}
"#
        )
    };
    for name in ["\"b-${var.env}\"", "var.env", "var.env == null ? \"a\" : var.env"] {
        let old = named(name, "\"${aws_s3_bucket.b.arn}/*\"");
        only(
            &compared(&[("m.tf", &old)], &[("m.tf", &named(name, "\"*\""))]),
            &[],
            &[],
        );
    }
    let domain = r#"resource "aws_opensearch_domain" "d" {
  domain_name     = "chat"
  access_policies = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "111122223333" }, Action = "es:ESHttpGet", Resource = "arn:aws:es:eu-west-1:111122223333:domain/chat/*" }] })
}
"#;
    let json = edited("m.tf", domain, "es:ESHttpGet\"", "es:ESHttpGet\", Sid = \"x\"");
    only(&json, &[], &[]);
    let json = edited(
        "m.tf",
        domain,
        "\"arn:aws:es:eu-west-1:111122223333:domain/chat/*\"",
        "\"*\"",
    );
    let lost = changes(&json, "lost");
    assert!(
        lost.is_empty() && !json.to_string().contains("aws_opensearch_domain-d"),
        "{json:#}"
    );
}

#[test]
fn a_name_that_is_chosen_is_the_name_of_one_thing() {
    let group = r#"variable "p" {
  nullable = true
}
resource "aws_cloudwatch_log_group" "g" {
  name = "${var.p != null ? var.p : "/aws/x"}/slow"
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.g.arn}:*" }] })
}
"#;
    let json = edited("m.tf", group, "\"logs:PutLogEvents\"", "\"logs:*\"");
    assert_eq!(unknown(&json), Vec::<String>::new());
    let actions = words(&json["gained"][0]["actions"]);
    assert!(
        actions.contains("logs:DeleteLogGroup") && !actions.contains("logs:DeleteDelivery "),
        "{actions}"
    );
    let remote = r#"module "m" {
  source = "terraform-aws-modules/s3-bucket/aws"
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:ListBucket", Resource = module.m.s3_bucket_arn },
    { Effect = "Allow", Action = ["s3:GetObject"], Resource = "${module.m.s3_bucket_arn}/a/*" },
  ] })
}
"#;
    let json = edited("m.tf", remote, "[\"s3:GetObject\"]", "[\"s3:GetObject\", \"s3:*\"]");
    assert_eq!(unknown(&json), Vec::<String>::new());
    let actions = words(&json["gained"][0]["actions"]);
    assert!(
        actions.contains("s3:DeleteObject") && !actions.contains("s3:DeleteAccessGrant"),
        "{actions}"
    );
    // Beside what is gained on everything, nothing is left open.
    let more = "    { Effect = \"Allow\", NotAction = [\"iam:*\"], Resource = \"*\" },\n  ] })";
    let json = edited("m.tf", remote, "  ] })", more);
    assert_eq!((changes(&json, "gained").len(), unknown(&json).len()), (1, 0));
}

#[test]
fn a_role_that_a_reference_names_has_the_policy() {
    let attached = |role: &str| {
        format!(
            r#"module "eks" {{
  source = "terraform-aws-modules/eks/aws"
}}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = ["s3:ListAllMyBuckets"], Resource = "*" }}] }})
}}
resource "aws_iam_role_policy_attachment" "p" {{
  role       = {role}
  policy_arn = aws_iam_policy.p.arn
}}
"#
        )
    };
    for role in [
        "data.tfe_outputs.cluster.nonsensitive_values.worker_role",
        "var.role",
        "module.eks.node_role_name",
    ] {
        let json = edited(
            "m.tf",
            &attached(role),
            "\"s3:ListAllMyBuckets\"",
            "\"s3:ListAllMyBuckets\", \"sqs:ListQueues\"",
        );
        only(&json, &[&format!("role/${{{role}}}: sqs:ListQueues on *")], &[]);
    }
}

#[test]
fn the_long_form_of_a_reference() {
    let policy = r#"resource "aws_sqs_queue" "q" {
  name = "q"
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = resource.aws_sqs_queue.q.arn }] })
}
"#;
    only(
        &edited("m.tf", policy, "resource.aws_sqs_queue.q.arn", "aws_sqs_queue.q.arn"),
        &[],
        &[],
    );
    let json = edited("m.tf", policy, "resource.aws_sqs_queue.q.arn", "\"*\"");
    only(&json, &["aws_iam_policy.p.PolicyDocument: sqs:SendMessage on *"], &[]);
}

#[test]
fn a_list_of_which_a_part_is_known_is_formatted() {
    let of = |action: &str| {
        format!(
            r#"variable "more" {{
  type = list(string)
}}
locals {{
  all = concat(["arn:aws:s3:::a"], [for e in var.more : "arn:aws:s3:::${{e}}"])
}}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = [{action}], Resource = formatlist("%s/*", local.all) }}] }})
}}
"#
        )
    };
    let json = compared(
        &[("m.tf", &of("\"s3:GetObject\""))],
        &[("m.tf", &of("\"s3:GetObject\", \"s3:PutObject\""))],
    );
    let gained = changes(&json, "gained");
    assert!(
        gained.len() == 1 && gained[0].contains("s3:PutObject on arn:aws:s3:::a/*"),
        "{json:#}"
    );
}

#[test]
fn names_that_are_written_with_a_slash_or_as_a_list() {
    let parameter = r#"resource "aws_ssm_parameter" "p" {
  name = "/app/token"
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["ssm:GetParameter"], Resource = aws_ssm_parameter.p.arn }] })
}
"#;
    let json = edited(
        "m.tf",
        parameter,
        "\"ssm:GetParameter\"",
        "\"ssm:GetParameter\", \"ssm:PutParameter\"",
    );
    let on = "arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/app/token";
    only(
        &json,
        &[&format!("aws_iam_policy.p.PolicyDocument: ssm:PutParameter on {on}")],
        &[],
    );
    let permission = r#"resource "aws_lambda_function" "f" {
  function_name = "f"
}
resource "aws_lambda_permission" "p" {
  function_name = aws_lambda_function.f.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
}
"#;
    let json = edited(
        "m.tf",
        permission,
        "\"events.amazonaws.com\"",
        "[\"events.amazonaws.com\", \"s3.amazonaws.com\"]",
    );
    let on = "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f";
    only(
        &json,
        &[&format!(
            "aws_lambda_function.f: lambda:InvokeFunction on {on} for s3.amazonaws.com"
        )],
        &[],
    );
    let rule =
        format!("{permission}resource \"aws_cloudwatch_event_rule\" \"account_processor\" {{\n  name = \"x\"\n}}\n");
    let rule = rule.replace(
        "\n}\nresource \"aws_cloudwatch",
        "\n  source_arn = aws_cloudwatch_event_rule.account_processor.arn\n}\nresource \"aws_cloudwatch",
    );
    let json = edited("m.tf", &rule, "\"events.amazonaws.com\"", "\"*\"");
    assert_eq!(
        (changes(&json, "gained").len(), unknown(&json).len()),
        (1, 0),
        "{json:#}"
    );
}

#[test]
fn roles_of_one_name_in_several_modules_are_moved_with_their_modules() {
    let role = r#"resource "aws_iam_role" "r" {
  name               = "same"
  assume_role_policy = jsonencode({ Statement = [] })
}
resource "aws_iam_role_policy_attachment" "r" {
  role       = aws_iam_role.r.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
"#;
    let root = "module \"a\" {\n  source = \"./m\"\n}\nmodule \"b\" {\n  source = \"./m\"\n}\n";
    let moved = role
        .replace("\"aws_iam_role\" \"r\"", "\"aws_iam_role\" \"s\"")
        .replace("aws_iam_role.r.", "aws_iam_role.s.");
    let json = compared(
        &[("main.tf", root), ("m/main.tf", role)],
        &[("main.tf", root), ("m/main.tf", &moved)],
    );
    only(&json, &[], &[]);
    assert_eq!(json["moved"].as_array().unwrap().len(), 2);
}
