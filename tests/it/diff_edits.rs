//! `diff` of one edit: what a reviewer of it would want to read.

use serde_json::{Value, json};

use crate::support::diff as support;
use crate::support::repository::Repository;

/// What `diff` says of a file in which `from` becomes `to`: `gained`, `lost`, and `unknown`, a line each.
fn edited(path: &str, text: &str, from: &str, to: &str) -> Said {
    assert!(text.contains(from), "{from}");
    compared(path, text, &text.replace(from, to))
}

fn compared(path: &str, old: &str, new: &str) -> Said {
    Said {
        json: support::compared(&[(path, old)], &[(path, new)]),
    }
}

struct Said {
    json: Value,
}

impl Said {
    fn list(&self, name: &str) -> &[Value] {
        self.json[name].as_array().unwrap()
    }

    fn gained(&self) -> Vec<String> {
        support::changes(&self.json, "gained")
    }

    fn lost(&self) -> Vec<String> {
        support::changes(&self.json, "lost")
    }

    /// `subject: why`.
    fn unknown(&self) -> Vec<String> {
        let all = self.list("unknown").iter();
        all.map(|u| format!("{}: {}", u["subject"].as_str().unwrap(), u["why"].as_str().unwrap()))
            .collect()
    }

    #[track_caller]
    fn is_nothing(&self) {
        for list in ["gained", "lost", "unknown"] {
            assert_eq!(self.json[list], json!([]), "{list}: {:#}", self.json[list]);
        }
    }
}

const FUNCTION: &str = r#"resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = "arn:aws:iam::111122223333:role/r"
}
resource "aws_lambda_permission" "p" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = "arn:aws:sns:us-east-1:111122223333:t"
}
"#;
const F: &str = "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f";

#[test]
fn permissions_of_functions_are_policies_on_them() {
    let wider = edited("m.tf", FUNCTION, "lambda:InvokeFunction", "lambda:Invoke*");
    let gained =
        format!("aws_lambda_function.f: lambda:InvokeAsync lambda:InvokeFunctionUrl on {F} for sns.amazonaws.com");
    assert_eq!(wider.gained(), [gained]);
    let other = edited("m.tf", FUNCTION, "sns.amazonaws.com", "s3.amazonaws.com");
    let with = |principal: &str| format!("aws_lambda_function.f: lambda:InvokeFunction on {F} for {principal}");
    assert_eq!(other.gained(), [with("s3.amazonaws.com")]);
    assert_eq!(other.lost(), [with("sns.amazonaws.com")]);
    let source = "  source_arn    = \"arn:aws:sns:us-east-1:111122223333:t\"\n";
    let anywhere = edited("m.tf", FUNCTION, source, "");
    assert_eq!(
        (anywhere.gained(), anywhere.lost()),
        (vec![with("sns.amazonaws.com")], vec![])
    );
    // The same by another name, in another order.
    let renamed = edited("m.tf", FUNCTION, "aws_lambda_function.f.function_name", "\"f\"");
    renamed.is_nothing();
    edited("m.tf", FUNCTION, "\"p\"", "\"q\"").is_nothing();
    let template = r"AWSTemplateFormatVersion: '2010-09-09'
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: f
      Role: arn:aws:iam::111122223333:role/r
  P:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !GetAtt F.Arn
      Action: lambda:InvokeFunction
      Principal: '444455556666'
";
    let everyone = edited("t.yaml", template, "'444455556666'", "'*'");
    assert_eq!(everyone.gained(), [format!("F: lambda:InvokeFunction on {F} for *")]);
    let url = r#"resource "aws_lambda_function_url" "u" {
  function_name      = aws_lambda_function.f.function_name
  authorization_type = "AWS_IAM"
}
"#;
    let open = edited("m.tf", &format!("{FUNCTION}{url}"), "\"AWS_IAM\"", "\"NONE\"");
    assert_eq!(
        open.gained(),
        [format!("aws_lambda_function.f: lambda:InvokeFunctionUrl on {F} for *")]
    );
}

#[test]
fn settings_that_let_others_in_are_listed() {
    let cases = [
        (
            "resource \"aws_s3_bucket_acl\" \"a\" {\n  bucket = \"b\"\n  acl    = \"private\"\n}\n",
            "\"private\"",
            "\"public-read\"",
            "aws_s3_bucket_acl.a: lets others in by another value of `AccessControl`, which is not compared",
        ),
        (
            "resource \"aws_s3_bucket_public_access_block\" \"b\" {\n  bucket            = \"b\"\n  block_public_acls = true\n}\n",
            "true",
            "false",
            "aws_s3_bucket_public_access_block.b: keeps others out by another value of what it says, which is not compared",
        ),
        (
            "resource \"aws_ami_launch_permission\" \"p\" {\n  image_id   = \"ami-1\"\n  account_id = \"111122223333\"\n}\n",
            "111122223333",
            "444455556666",
            "aws_ami_launch_permission.p: lets others in by another value of what it says, which is not compared",
        ),
        (
            "resource \"aws_lambda_function\" \"f\" {\n  function_name = \"f\"\n  role = \"arn:aws:iam::111122223333:role/r\"\n}\n",
            "role/r",
            "role/admin",
            "aws_lambda_function.f: runs as another role, by `Role`",
        ),
        (
            "resource \"aws_apigatewayv2_route\" \"r\" {\n  api_id             = \"a\"\n  route_key          = \"GET /\"\n  authorization_type = \"AWS_IAM\"\n}\n",
            "AWS_IAM",
            "NONE",
            "aws_apigatewayv2_route.r: lets others in by another value of `AuthorizationType`, which is not compared",
        ),
    ];
    for (text, from, to, expected) in cases {
        assert_eq!(edited("m.tf", text, from, to).unknown(), [expected], "{text}");
        edited("m.tf", text, from, from).is_nothing();
    }
    let acl = "resource \"aws_s3_bucket_acl\" \"a\" {\n  bucket = \"b\"\n  acl    = \"private\"\n}\n";
    compared("m.tf", "locals {}\n", acl).is_nothing();
    edited("m.tf", acl, "private", "log-delivery-write").is_nothing();
    let shared = acl.replace("private", "public-read");
    assert_eq!(compared("m.tf", "locals {}\n", &shared).unknown().len(), 1);
    assert_eq!(compared("m.tf", &shared, "locals {}\n").unknown().len(), 1);
}

fn template(condition: &str, actions: &str) -> String {
    format!(
        "AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Log: {{Type: String, Default: ''}}
  Stage: {{Type: String}}
Conditions:
  HasLog: !Not [!Equals [!Ref Log, '']]
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  R:
    Type: AWS::IAM::Role
    Condition: {condition}
    Properties:
      RoleName: r
      AssumeRolePolicyDocument: {{}}
      Policies:
      - PolicyName: p
        PolicyDocument:
          Statement:
          - Effect: Allow
            Action: {actions}
            Resource: '*'
"
    )
}

#[test]
fn a_condition_of_both_sides_is_one_condition() {
    let before = template("HasLog", "[s3:GetObject]");
    let more = compared("t.yaml", &before, &template("HasLog", "[s3:GetObject, iam:PassRole]"));
    assert_eq!(
        (more.gained(), more.unknown()),
        (vec!["R: iam:PassRole on *".to_owned()], vec![])
    );
    compared("t.yaml", &before, &template("HasLog", "[s3:getobject]")).is_nothing();
    // In one of two cases.
    let chosen = |list: &str| template("HasLog", &format!("!If [IsProd, {list}, [sqs:SendMessage]]"));
    let both = compared(
        "t.yaml",
        &chosen("[s3:GetObject]"),
        &chosen("[s3:GetObject, s3:PutObject]"),
    );
    assert_eq!(
        (both.gained(), both.unknown()),
        (vec!["R: s3:PutObject on *".to_owned()], vec![])
    );
    // A condition that is new decides.
    let other = compared("t.yaml", &before, &template("IsProd", "[s3:GetObject, iam:PassRole]"));
    assert_eq!(other.gained(), Vec::<String>::new());
    assert!(!other.unknown().is_empty());
    let counted = r#"variable "on" { type = bool }
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Statement = [] })
}
resource "aws_iam_role_policy" "p" {
  count  = var.on ? 1 : 0
  role   = aws_iam_role.r.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }] })
}
"#;
    let more = edited(
        "m.tf",
        counted,
        "[\"s3:GetObject\"]",
        "[\"s3:GetObject\", \"s3:PutObject\"]",
    );
    let gained = vec!["aws_iam_role.r: s3:PutObject on *".to_owned()];
    assert_eq!((more.gained(), more.unknown()), (gained, vec![]));
}

const INPUTS: &str = r#"variable "trusted" { type = list(string) }
variable "places" { type = list(string) }
resource "aws_iam_role" "r" {
  name = "r"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Principal = { AWS = var.trusted }, Action = "sts:AssumeRole", Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } } },
  ] })
}
resource "aws_iam_role_policy" "p" {
  role = aws_iam_role.r.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["s3:GetObject"], Resource = concat(var.places, ["arn:aws:s3:::x/*"]) },
  ] })
}
"#;

#[test]
fn an_input_of_both_sides_is_one_list() {
    let condition = ", Condition = { Bool = { \"aws:MultiFactorAuthPresent\" = \"true\" } }";
    let trust = edited("m.tf", INPUTS, condition, "");
    let gained = "aws_iam_role.r (trust): sts:AssumeRole for ${var.trusted}";
    assert_eq!((trust.gained(), trust.unknown()), (vec![gained.to_owned()], vec![]));
    let more = edited(
        "m.tf",
        INPUTS,
        "[\"s3:GetObject\"]",
        "[\"s3:GetObject\", \"s3:PutObject\"]",
    );
    assert_eq!(more.unknown(), Vec::<String>::new());
    assert_eq!(more.gained().len(), 1, "{:?}", more.gained());
    // What is added beside the list may be in it, and so may what another list holds.
    let beside = edited(
        "m.tf",
        INPUTS,
        "\"arn:aws:s3:::x/*\"",
        "\"arn:aws:s3:::x/*\", \"arn:aws:s3:::y/*\"",
    );
    assert_eq!(beside.gained(), Vec::<String>::new());
    assert!(!beside.unknown().is_empty());
    let other = edited("m.tf", INPUTS, "concat(var.places,", "concat(var.trusted,");
    assert_eq!(other.gained(), Vec::<String>::new());
    assert!(!other.unknown().is_empty());
}

#[test]
fn an_input_may_be_what_was_there_before() {
    let of = |action: &str, resource: &str| {
        format!(
            "variable \"b\" {{ type = string }}
resource \"aws_iam_role\" \"r\" {{
  name               = \"r\"
  assume_role_policy = jsonencode({{ Statement = [] }})
}}
resource \"aws_iam_role_policy\" \"p\" {{
  role   = aws_iam_role.r.name
  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"{action}\", Resource = {resource} }}] }})
}}
"
        )
    };
    let literal = of("s3:GetObject", "\"arn:aws:s3:::b/*\"");
    for resource in ["var.b", "\"arn:aws:s3:::${var.b}/*\""] {
        let said = compared("m.tf", &literal, &of("s3:GetObject", resource));
        assert_eq!(said.gained(), Vec::<String>::new(), "{resource}");
        assert!(!said.unknown().is_empty(), "{resource}");
        // Another action was allowed nowhere.
        let said = compared("m.tf", &literal, &of("s3:PutObject", resource));
        assert_eq!(said.gained().len(), 1, "{resource}: {:?}", said.unknown());
    }
    let elsewhere = compared("m.tf", &literal, &of("s3:GetObject", "\"arn:aws:s3:::a-${var.b}/*\""));
    assert_eq!(elsewhere.gained().len(), 1, "{:?}", elsewhere.unknown());
}

#[test]
fn a_reference_to_what_is_gone_is_unknown() {
    let of = |name: &str| {
        format!(
            r#"resource "aws_iam_role" "{name}" {{
  name               = "runner"
  assume_role_policy = jsonencode({{ Statement = [] }})
}}
resource "aws_iam_role" "up" {{
  name               = "up"
  assume_role_policy = jsonencode({{ Statement = [] }})
}}
resource "aws_iam_role_policy" "p" {{
  role   = aws_iam_role.up.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "iam:PassRole", Resource = aws_iam_role.runner.arn }}] }})
}}
"#
        )
    };
    let said = compared("m.tf", &of("runner"), &of("runner_v2"));
    assert_eq!((said.gained(), said.lost()), (vec![], vec![]));
    let why = "aws_iam_role.up: refers to `aws_iam_role.runner.arn`, which is not there";
    assert!(said.unknown().contains(&why.to_owned()), "{:?}", said.unknown());
}

const QUEUE: &str = r#"resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Statement = [] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["sqs:SendMessage", "s3:GetObject"], Resource = "*" }] })
}
resource "aws_sqs_queue" "q" {
  name = "q"
}
resource "aws_sqs_queue_policy" "q" {
  queue_url = aws_sqs_queue.q.id
  policy    = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Deny", Principal = "*", Action = "sqs:*", Resource = "*", Condition = { Bool = { "aws:SecureTransport" = "false" } } },
  ] })
}
"#;

#[test]
fn a_deny_on_a_resource_limits_identities() {
    let deny = QUEUE.lines().find(|l| l.contains("Deny")).unwrap();
    let gone = edited("m.tf", QUEUE, deny, "");
    let q = "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:q";
    let change = format!("aws_iam_role.r: sqs:SendMessage on {q}");
    assert_eq!(gone.gained(), std::slice::from_ref(&change));
    assert_eq!(
        gone.json["gained"][0]["request"]["context"]["aws:securetransport"],
        "false"
    );
    let may = "aws_sqs_queue.q: denies less of `sqs:*`: those whom other policies allow it may gain it";
    assert_eq!(gone.unknown(), [may]);
    let added = compared("m.tf", &QUEUE.replace(deny, ""), QUEUE);
    assert_eq!((added.gained(), added.lost()), (vec![], vec![change]));
    // The whole policy is gone.
    let at = QUEUE.find("resource \"aws_sqs_queue_policy\"").unwrap();
    assert_eq!(compared("m.tf", QUEUE, &QUEUE[..at]).gained().len(), 1);
    // One Deny as two.
    let (read, rest) = ("[\"sqs:Get*\", \"sqs:Rec*\", \"sqs:List*\"]", "\"sqs:*\"");
    let twice = format!(
        "{}\n{}",
        deny.replace("\"sqs:*\"", read),
        deny.replace("\"sqs:*\"", rest)
    );
    edited("m.tf", QUEUE, deny, &twice).is_nothing();
    // It is for another one.
    let other = QUEUE.replace(
        "Principal = \"*\"",
        "Principal = { AWS = \"arn:aws:iam::444455556666:role/x\" }",
    );
    let line = other.lines().find(|l| l.contains("Deny")).unwrap().to_owned();
    let said = edited("m.tf", &other, &line, "");
    assert_eq!((said.gained(), said.unknown().len()), (vec![], 1));
}

#[test]
fn what_a_boundary_denied_is_what_is_gained() {
    let policy = |deny: &str| {
        format!(
            r#"resource "aws_iam_role" "r" {{
  name                 = "r"
  permissions_boundary = aws_iam_policy.b.arn
  assume_role_policy   = jsonencode({{ Statement = [] }})
}}
resource "aws_iam_role_policy" "p" {{
  role   = aws_iam_role.r.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "iam:*", Resource = "*" }}] }})
}}
resource "aws_iam_policy" "b" {{
  name   = "b"
  policy = jsonencode({{ Version = "2012-10-17", Statement = [
    {{ Effect = "Allow", Action = "*", Resource = "*" }},
{deny}  ] }})
}}
"#
        )
    };
    let deny = |action: &str, resource: &str| {
        format!("    {{ Effect = \"Deny\", Action = \"{action}\", Resource = \"{resource}\" }},\n")
    };
    let both = deny("iam:DeletePolicy", "arn:aws:iam::111122223333:policy/bound/*")
        + &deny("iam:DeleteRole", "arn:aws:iam::111122223333:role/kept");
    let said = compared("m.tf", &policy(&both), &policy(""));
    let mut gained = said.gained();
    gained.sort();
    assert_eq!(
        gained,
        [
            "aws_iam_role.r: iam:DeletePolicy on arn:aws:iam::111122223333:policy/bound/*",
            "aws_iam_role.r: iam:DeleteRole on arn:aws:iam::111122223333:role/kept",
        ]
    );
}

#[test]
fn a_reference_in_a_condition_on_an_arn_is_an_arn() {
    let text = r#"resource "aws_cloudwatch_event_rule" "r" {
  schedule_expression = "rate(1 day)"
}
resource "aws_lambda_function" "f" {
  function_name = "f"
}
resource "aws_lambda_permission" "p" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.r.arn
}
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "events.amazonaws.com" }
    Condition = { ArnLike = { "aws:SourceArn" = "${aws_cloudwatch_event_rule.r.arn}/*" } }
  }] })
}
"#;
    let everyone = edited("m.tf", text, "\"events.amazonaws.com\"\n  source", "\"*\"\n  source");
    assert_eq!(
        everyone.gained(),
        [format!("aws_lambda_function.f: lambda:InvokeFunction on {F} for *")]
    );
    let other = edited(
        "m.tf",
        text,
        "\"sts:AssumeRole\"",
        "[\"sts:AssumeRole\", \"sts:TagSession\"]",
    );
    assert_eq!(
        other.gained(),
        ["aws_iam_role.r (trust): sts:TagSession for events.amazonaws.com"]
    );
    let free = edited(
        "m.tf",
        text,
        "    Condition = { ArnLike = { \"aws:SourceArn\" = \"${aws_cloudwatch_event_rule.r.arn}/*\" } }\n",
        "",
    );
    assert_eq!(free.gained().len(), 1, "{:?}", free.unknown());
    edited("m.tf", text, "ArnLike", "ArnEquals").is_nothing();
}

#[test]
fn a_template_with_files_of_parameters_is_compared_with_itself() {
    let r = Repository::new(&[]);
    let template = r"Parameters:
  pName:
    Type: String
    Default: worker
Resources:
  rRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref pName
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {Service: SERVICE}
";
    let parameters = r#"[{"ParameterKey": "pName", "ParameterValue": "worker"}]"#;
    for (side, action, service) in [
        ("old", "s3:GetObject", "lambda.amazonaws.com"),
        ("new", "s3:PutObject", "lambda.amazonaws.com"),
        ("newer", "s3:PutObject", "ec2.amazonaws.com"),
    ] {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
        );
        r.write(&format!("{side}/p.json"), policy.as_bytes());
        r.write(
            &format!("{side}/role.yaml"),
            template.replace("SERVICE", service).as_bytes(),
        );
        r.write(&format!("{side}/parameters/role.json"), parameters.as_bytes());
    }
    let said = |new: &str| Said {
        json: r.run(&["diff", "old", new, "--format", "json"]).json(),
    };
    assert_eq!(said("new").gained(), ["new/p.json: s3:PutObject on *"]);
    let mut gained = said("newer").gained();
    gained.sort();
    assert_eq!(
        gained,
        [
            "newer/p.json: s3:PutObject on *",
            "rRole (trust): sts:AssumeRole for ec2.amazonaws.com"
        ]
    );
}

/// A role with this statement.
fn role_with(statement: &str) -> String {
    format!(
        "variable \"v\" {{ type = string }}
variable \"w\" {{ type = string }}
resource \"aws_iam_role\" \"r\" {{
  name               = \"r\"
  assume_role_policy = jsonencode({{ Statement = [] }})
}}
resource \"aws_iam_role_policy\" \"p\" {{
  role   = aws_iam_role.r.name
  policy = jsonencode({{ Version = \"2012-10-17\", Statement = {statement} }})
}}
"
    )
}

#[test]
fn statements_that_cannot_be_seen_may_allow_more() {
    let known = r#"{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }"#;
    let before = role_with(&format!("[{known}]"));
    let more = compared("m.tf", &before, &role_with(&format!("concat(var.v, [{known}])")));
    assert_eq!((more.gained(), more.lost()), (vec![], vec![]));
    assert_eq!(
        more.unknown(),
        ["aws_iam_role.r: may gain more than is known, by `${var.v[*]}`"]
    );
    let other = compared("m.tf", &before, &role_with("var.v"));
    assert_eq!((other.gained(), other.lost()), (vec![], vec![]));
    assert!(
        other.unknown().iter().any(|u| u.contains("may lose `s3:GetObject`")),
        "{:?}",
        other.unknown()
    );
    assert!(
        other
            .unknown()
            .iter()
            .any(|u| u.contains("may gain more than is known")),
        "{:?}",
        other.unknown()
    );
    // The same statements that cannot be seen.
    let wider = known.replace("GetObject", "*Object");
    let both = compared(
        "m.tf",
        &role_with(&format!("concat(var.v, [{known}])")),
        &role_with(&format!("concat(var.v, [{wider}])")),
    );
    assert_eq!(
        (both.gained().len(), both.unknown().len()),
        (1, 0),
        "{:?}",
        both.unknown()
    );
    let policy = "resource \"aws_iam_role_policy\" \"q\" {\n  role   = aws_iam_role.r.name\n  policy = var.w\n}\n";
    let added = compared("m.tf", &before, &format!("{before}{policy}"));
    assert_eq!(
        added.unknown(),
        ["aws_iam_role.r: may gain more than is known, by `var.w`"]
    );
    let bucket = "variable \"p\" {}\nresource \"aws_s3_bucket\" \"b\" {\n  bucket = \"b\"\n}\nresource \"aws_s3_bucket_policy\" \"b\" {\n  bucket = aws_s3_bucket.b.id\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [] })\n}\n";
    let open = edited(
        "m.tf",
        bucket,
        "jsonencode({ Version = \"2012-10-17\", Statement = [] })",
        "var.p",
    );
    assert_eq!(
        open.unknown(),
        ["aws_s3_bucket.b: may gain more than is known, by `var.p`"]
    );
}

#[test]
fn conditions_with_values_that_are_not_known() {
    let with = |condition: &str| {
        role_with(&format!(
            "[{{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"*\"{condition} }}]"
        ))
    };
    let equals = |value: &str| {
        with(&format!(
            ", Condition = {{ StringEquals = {{ \"aws:PrincipalTag/t\" = {value} }} }}"
        ))
    };
    // A value of a key is one value: without the condition, others do too.
    let gone = compared("m.tf", &equals("var.v"), &with(""));
    assert_eq!(
        (gone.gained().len(), gone.unknown().len()),
        (1, 0),
        "{:?}",
        gone.unknown()
    );
    let literal = compared("m.tf", &equals("var.v"), &equals("\"x\""));
    assert_eq!(literal.gained(), Vec::<String>::new());
    assert!(!literal.unknown().is_empty());
    // The same condition on both sides.
    let wider = equals("var.v").replace("s3:GetObject", "s3:*Object");
    let more = compared("m.tf", &equals("var.v"), &wider);
    assert_eq!(
        (more.gained().len(), more.unknown().len()),
        (1, 0),
        "{:?}",
        more.unknown()
    );
    for same in [
        ", Condition = { NumericLessThan = { \"s3:TlsVersion\" = \"1.2\" } }",
        ", Condition = { Bool = { \"aws:SecureTransport\" = var.v } }",
        ", Condition = { StringEquals = { \"${var.v}:sub\" = \"x\" } }",
    ] {
        let wider = with(same).replace("s3:GetObject", "s3:*Object");
        let more = compared("m.tf", &with(same), &wider);
        assert_eq!(
            (more.gained().len(), more.unknown().len()),
            (1, 0),
            "{same}: {:?}",
            more.unknown()
        );
        compared("m.tf", &with(same), &with(same).replace("s3:GetObject", "s3:getobject")).is_nothing();
        // It limits something.
        let gone = compared("m.tf", &with(same), &with(""));
        assert!(!gone.gained().is_empty() || !gone.unknown().is_empty(), "{same}");
    }
}

#[test]
fn a_policy_on_a_resource_is_about_that_resource_and_its_service() {
    let text = r#"resource "aws_sns_topic" "t" {
  name = "t"
}
resource "aws_sns_topic_policy" "t" {
  arn    = aws_sns_topic.t.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = ["sns:Publish"], Resource = aws_sns_topic.t.arn },
  ] })
}
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = ["sts:AssumeRole"] },
  ] })
}
"#;
    edited("m.tf", text, "Resource = aws_sns_topic.t.arn", "Resource = \"*\"").is_nothing();
    edited(
        "m.tf",
        text,
        "[\"sns:Publish\"]",
        "[\"sns:Publish\", \"s3:DeleteBucket\"]",
    )
    .is_nothing();
    edited(
        "m.tf",
        text,
        "[\"sts:AssumeRole\"]",
        "[\"sts:AssumeRole\", \"iam:CreateUser\"]",
    )
    .is_nothing();
    let more = edited(
        "m.tf",
        text,
        "[\"sns:Publish\"]",
        "[\"sns:Publish\", \"sns:Subscribe\"]",
    );
    assert_eq!(more.gained().len(), 1);
}

#[test]
fn a_document_that_only_denies_is_not_silent() {
    let text = r#"data "aws_iam_policy_document" "d" {
  statement {
    effect    = "Deny"
    actions   = ["iam:CreateLoginProfile"]
    resources = ["*"]
  }
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = ["*"]
  }
}
"#;
    let block = "  statement {\n    effect    = \"Deny\"\n    actions   = [\"iam:CreateLoginProfile\"]\n    resources = [\"*\"]\n  }\n";
    let said = edited("m.tf", text, block, "");
    assert_eq!(said.unknown().len(), 1, "{:?}", said.json);
    assert!(
        said.unknown()[0].contains("denies less of `iam:CreateLoginProfile`"),
        "{:?}",
        said.unknown()
    );
    let service = r#"resource "aws_s3_bucket" "b" {
  bucket = "b"
}
resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Principal = { Service = "guardduty.amazonaws.com" }, Action = "s3:PutObject", Resource = "arn:aws:s3:::b/*" },
    { Effect = "Deny", Principal = { Service = "guardduty.amazonaws.com" }, Action = "s3:PutObject", Resource = "arn:aws:s3:::b/*", Condition = { StringNotEquals = { "s3:x-amz-acl" = "private" } } },
  ] })
}
"#;
    let deny = service.lines().find(|l| l.contains("\"Deny\"")).unwrap();
    let said = edited("m.tf", service, deny, "");
    assert_eq!(
        (said.gained().len(), said.unknown().len()),
        (1, 0),
        "{:?}",
        said.unknown()
    );
}
