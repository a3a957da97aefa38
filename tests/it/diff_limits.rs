//! `diff` within boundaries that allow something under conditions, and where conditions of a template decide.

use crate::support::diff::{changes, compared, edited, only, unknown};

/// A role with everything of IAM and Amazon S3, within a boundary of these statements.
fn within(statements: &str) -> String {
    format!(
        r#"data "aws_caller_identity" "own" {{}}
resource "aws_iam_policy" "limit" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{statements}] }})
}}
resource "aws_iam_role" "r" {{
  name                 = "r"
  permissions_boundary = aws_iam_policy.limit.arn
  assume_role_policy   = jsonencode({{ Statement = [] }})
}}
resource "aws_iam_role_policy" "p" {{
  role   = aws_iam_role.r.name
  policy = jsonencode({{ Statement = [{{ Effect = "Allow", Action = ["iam:*", "s3:GetObject"], Resource = "*" }}] }})
}}
"#
    )
}

const ROLES: &str = r#"{ Effect = "Allow", Action = ["iam:CreateRole", "iam:PutRolePolicy"], Resource = "arn:aws:iam::${data.aws_caller_identity.own.account_id}:role/apps/*",
  Condition = { StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::111122223333:policy/apps" } } }"#;
const POLICIES: &str = r#"{ Effect = "Allow", Action = ["iam:CreatePolicy", "iam:DeletePolicy"], Resource = "arn:aws:iam::${data.aws_caller_identity.own.account_id}:policy/apps/*" }"#;
const DENY: &str = r#"{ Effect = "Deny", Action = "iam:DeletePolicy", Resource = "arn:aws:iam::${data.aws_caller_identity.own.account_id}:policy/boundaries/*" }"#;

#[test]
fn a_boundary_with_conditions_is_compared() {
    // What no statement of it allows is not gained.
    let base = within(&[ROLES, POLICIES].join(", "));
    let json = edited("m.tf", &base, "\"s3:GetObject\"]", "\"s3:*\"]");
    only(&json, &[], &[]);
    // A Deny of it that is about nothing that it allows changes nothing, whichever the account is.
    let denied = within(&[ROLES, POLICIES, DENY].join(", "));
    only(&compared(&[("m.tf", &denied)], &[("m.tf", &base)]), &[], &[]);
    // The condition goes: what was allowed with this boundary alone is allowed with any, and with none.
    let open = base
        .replace("StringEquals = {", "StringLike = {")
        .replace(":policy/apps\"", ":policy/*\"");
    let json = compared(&[("m.tf", &base)], &[("m.tf", &open)]);
    let gained = changes(&json, "gained");
    assert_eq!((gained.len(), unknown(&json).len()), (1, 0), "{json:#}");
    assert!(
        gained[0].contains("iam:CreateRole") && gained[0].contains("iam:PutRolePolicy"),
        "{gained:?}"
    );
    let request = &json["gained"][0]["request"]["context"]["iam:permissionsboundary"];
    assert!(request.to_string().contains("policy/"), "{json:#}");
}

#[test]
fn conditions_without_an_opposite_leave_it_open() {
    for (condition, is_compared) in [
        (r#"{ StringNotLike = { "aws:PrincipalTag/team" = "ops" } }"#, true),
        (r#"{ Bool = { "aws:MultiFactorAuthPresent" = "true" } }"#, true),
        (r#"{ Null = { "aws:TagKeys" = "false" } }"#, true),
        (r#"{ NumericLessThan = { "aws:MultiFactorAuthAge" = "3600" } }"#, true),
        (r#"{ "ForAnyValue:StringEquals" = { "aws:TagKeys" = "team" } }"#, true),
        (
            r#"{ StringEqualsIfExists = { "aws:PrincipalTag/team" = "ops" } }"#,
            false,
        ),
        (
            r#"{ StringEquals = { "aws:PrincipalTag/team" = "$${aws:username}" } }"#,
            false,
        ),
    ] {
        let limit = format!(
            r#"{{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::a/*", Condition = {condition} }}"#
        );
        let base = within(&limit);
        let json = edited(
            "m.tf",
            &base,
            "\"iam:*\", \"s3:GetObject\"]",
            "\"iam:*\", \"s3:GetObject\", \"sqs:*\"]",
        );
        assert_eq!(unknown(&json).is_empty(), is_compared, "{condition}: {json:#}");
        assert!(changes(&json, "gained").is_empty(), "{json:#}");
    }
}

const BUCKET: &str = r"Parameters:
  Kms: {Type: String, Default: ''}
  Access: {Type: String, Default: Private, AllowedValues: [Private, Elb, ElbEncrypted]}
Conditions:
  HasKms: !Not [!Equals [!Ref Kms, '']]
  IsPrivate: !Equals [!Ref Access, Private]
  IsPrivateWithKms: !And [!Condition IsPrivate, !Condition HasKms]
  IsElb: !Or [!Equals [!Ref Access, Elb], !Equals [!Ref Access, ElbEncrypted]]
  IsElbEncrypted: !Equals [!Ref Access, ElbEncrypted]
  IsPublic: !Equals [!Ref AWS::Partition, aws]
  IsChina: !Equals [!Ref AWS::Partition, aws-cn]
Resources:
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: b}}
  P:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref B
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - !If
            - IsPrivateWithKms
            - Effect: Deny
              Principal: '*'
              Action: 's3:PutObject*'
              Resource: !Sub '${B.Arn}/*'
              Condition: {StringNotEquals: {'s3:x-amz-server-side-encryption': 'aws:kms'}}
            - !Ref AWS::NoValue
          - Effect: Deny
            Principal: '*'
            Action: 's3:*'
            Resource: [!GetAtt B.Arn, !Sub '${B.Arn}/*']
            Condition: {Bool: {'aws:SecureTransport': false}}
          - !If
            - IsElb
            - {Effect: Allow, Principal: {Service: delivery.logs.amazonaws.com}, Action: 's3:GetBucketAcl', Resource: !GetAtt B.Arn}
            - !Ref AWS::NoValue
          - !If
            - IsElb
            - Effect: Allow
              Principal:
                AWS:
                  - !If [IsPublic, 'arn:aws:iam::111122223333:root', !Ref AWS::NoValue]
                  - !If [IsPublic, 'arn:aws:iam::444455556666:root', !Ref AWS::NoValue]
                  - !If [IsChina, 'arn:aws-cn:iam::777788889999:root', !Ref AWS::NoValue]
              Action: 's3:PutObject'
              Resource: !Sub '${B.Arn}/*'
            - !Ref AWS::NoValue
          - !If
            - IsElbEncrypted
            - Effect: Deny
              Principal: '*'
              Action: 's3:PutObject*'
              Resource: !Sub '${B.Arn}/*'
              Condition: {StringNotEquals: {'s3:x-amz-server-side-encryption': AES256}}
            - !Ref AWS::NoValue
";

#[test]
fn conditions_made_of_others_are_cases_of_both_sides() {
    let at = BUCKET
        .find("          - Effect: Deny\n            Principal: '*'\n            Action: 's3:*'")
        .unwrap();
    let end = BUCKET.find("          - !If\n            - IsElb\n").unwrap();
    let gone = format!("{}{}", &BUCKET[..at], &BUCKET[end..]);
    let json = compared(&[("t.yaml", BUCKET)], &[("t.yaml", &gone)]);
    let gained = [
        "B: s3:PutObject on arn:aws:s3:::b/* for arn:aws:iam::111122223333:root arn:aws:iam::444455556666:root arn:aws-cn:iam::777788889999:root",
        "B: s3:GetBucketAcl on arn:aws:s3:::b for delivery.logs.amazonaws.com",
    ];
    assert_eq!(changes(&json, "gained"), gained);
    // Only those whom a Deny withheld something are left.
    let left = unknown(&json);
    assert!(left.len() == 1 && left[0].starts_with("denies less of"), "{left:?}");
}

#[test]
fn a_policy_on_a_resource_is_of_its_region_and_account() {
    let domain = r#"variable "region" { default = "eu-west-1" }
data "aws_region" "here" { region = var.region }
data "aws_caller_identity" "own" {}
resource "aws_opensearch_domain" "d" {
  domain_name     = "chat"
  access_policies = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "es:ESHttpGet",
    Resource = "arn:aws:es:${data.aws_region.here.region}:${data.aws_caller_identity.own.account_id}:domain/chat/*" }] })
}
"#;
    let from = "\"arn:aws:es:${data.aws_region.here.region}:${data.aws_caller_identity.own.account_id}:domain/chat/*\"";
    only(
        &edited("m.tf", domain, from, "\"*\""),
        &["aws_opensearch_domain.d: es:ESHttpGet on arn:aws:es:${AWS::Region}:${AWS::AccountId}:domain/chat for *"],
        &[],
    );
}

#[test]
fn an_input_that_is_called_an_arn_is_one() {
    let role = r#"variable "path_arn" {}
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Statement = [] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.name
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "ssm:GetParameter", Resource = [var.path_arn, "${var.path_arn}/*"] }] })
}
"#;
    let list = "[var.path_arn, \"${var.path_arn}/*\"]";
    only(
        &edited("m.tf", role, list, "\"*\""),
        &["aws_iam_role.r: ssm:GetParameter on *"],
        &[],
    );
    // Whatever else an input holds may be everything.
    let json = edited(
        "m.tf",
        &role.replace("path_arn", "path"),
        &list.replace("path_arn", "path"),
        "\"*\"",
    );
    assert_eq!(
        (changes(&json, "gained").len(), unknown(&json).is_empty()),
        (0, false),
        "{json:#}"
    );
}

#[test]
fn root_modules_of_one_account_are_compared_as_one() {
    let provider = |account: &str| {
        format!(
            "variable \"accounts\" {{}}\nprovider \"aws\" {{\n  assume_role {{\n    role_arn = \"arn:aws:iam::${{var.accounts[\"{account}\"]}}:role/deploy\"\n  }}\n}}\n"
        )
    };
    let values = "accounts = { one = \"111122223333\", two = \"444455556666\" }\n";
    let bucket = |statement: &str| {
        format!(
            "{}resource \"aws_s3_bucket\" \"b\" {{\n  bucket = \"acme\"\n}}\nresource \"aws_s3_bucket_policy\" \"b\" {{\n  bucket = aws_s3_bucket.b.id\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{statement}] }})\n}}\n",
            provider("one")
        )
    };
    let deny = r#"{ Effect = "Deny", Principal = "*", Action = "s3:*", Resource = "arn:aws:s3:::acme/*", Condition = { Bool = { "aws:SecureTransport" = "false" } } }"#;
    let role = |account: &str| {
        format!(
            "{}resource \"aws_iam_role\" \"r\" {{\n  name               = \"r\"\n  assume_role_policy = jsonencode({{ Statement = [] }})\n}}\nresource \"aws_iam_role_policy\" \"p\" {{\n  role   = aws_iam_role.r.name\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"arn:aws:s3:::acme/*\" }}] }})\n}}\n",
            provider(account)
        )
    };
    for (account, expected) in [
        ("one", &["aws_iam_role.r: s3:GetObject on arn:aws:s3:::acme/*"][..]),
        ("two", &[]),
    ] {
        let role = role(account);
        let side = |bucket| {
            [
                ("bucket/main.tf", bucket),
                ("bucket/terraform.tfvars", values),
                ("app/main.tf", role.as_str()),
                ("app/terraform.tfvars", values),
            ]
        };
        let (denied, open) = (bucket(deny), bucket(""));
        assert_eq!(
            changes(&compared(&side(&denied), &side(&open)), "gained"),
            expected,
            "{account}"
        );
    }
}

#[test]
fn accounts_of_other_partitions_are_principals() {
    let policy = |deny: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{deny}{{"Effect": "Allow", "Principal": {{"AWS": ["arn:aws-cn:iam::777788889999:root", "444455556666"]}},
  "Action": "s3:PutObject", "Resource": "arn:aws-cn:s3:::b/*"}}]}}"#
        )
    };
    let deny = r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws-cn:s3:::b/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, "#;
    let json = compared(&[("p.json", &policy(deny))], &[("p.json", &policy(""))]);
    only(
        &json,
        &["new: s3:PutObject on arn:aws-cn:s3:::b/* for arn:aws-cn:iam::777788889999:root 444455556666"],
        &[],
    );
    let principal = json["gained"][0]["request"]["principal"].as_str();
    assert_eq!(principal, Some("arn:aws-cn:iam::444455556666:role/example"));
}

#[test]
fn what_a_control_policy_allows_beside_full_access_is_no_limit() {
    let organization = r#"resource "aws_organizations_policy" "p" {
  content = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Deny", Action = "sqs:*", Resource = "*" },
    { Effect = "Allow", Action = "s3:*", Resource = "*", Condition = { StringEqualsIfExists = { "aws:PrincipalTag/team" = "ops" } } },
  ] })
}
resource "aws_organizations_policy_attachment" "p" {
  policy_id = aws_organizations_policy.p.id
  target_id = "r-ab12"
}
"#;
    let role = |actions: &str| {
        format!(
            r#"resource "aws_iam_role" "r" {{
  name               = "r"
  assume_role_policy = jsonencode({{ Statement = [] }})
}}
resource "aws_iam_role_policy" "p" {{
  role   = aws_iam_role.r.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = [{actions}], Resource = "*" }}] }})
}}
"#
        )
    };
    let (old, new) = (
        role("\"sns:Publish\""),
        role("\"sns:Publish\", \"sns:Subscribe\", \"sqs:SendMessage\""),
    );
    let [old, new] = [&old, &new].map(|role| [("org/main.tf", organization), ("app/main.tf", role.as_str())]);
    only(&compared(&old, &new), &["aws_iam_role.r: sns:Subscribe on *"], &[]);
}
