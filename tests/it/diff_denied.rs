//! `diff` where Deny statements come, go, or change.

use crate::support::diff::{changes, compared, edited};
use crate::support::repository::Repository;

fn policy(allowed: &str, denied: &str) -> String {
    let deny = match denied {
        "" => String::new(),
        on => format!(r#", {{"Effect": "Deny", "Action": "s3:GetObject", "Resource": [{on}]}}"#),
    };
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:*", "Resource": [{allowed}]}}{deny}]}}"#
    )
}

#[test]
fn each_resource_of_a_deny_that_changed_is_named_and_no_other() {
    let (a, b) = (r#""arn:aws:s3:::a/x/*""#, r#""arn:aws:s3:::b/x/*""#);
    let both = format!("{a}, {b}");
    let on = |names: &str| vec![format!("new.json: s3:GetObject on {names}")];
    let [on_a, on_b] = ["arn:aws:s3:::a/x/*", "arn:aws:s3:::b/x/*"];
    for allowed in [
        r#""*""#,
        r#""arn:aws:s3:::a/*", "arn:aws:s3:::b/*""#,
        r#""arn:aws:s3:::*""#,
    ] {
        for (old, new, expected) in [
            (both.as_str(), "", on(&format!("{on_a} {on_b}"))),
            (&both, a, on(on_b)),
            (&both, b, on(on_a)),
        ] {
            let sides = [policy(allowed, old), policy(allowed, new)];
            for (list, [from, to]) in [("gained", [0, 1]), ("lost", [1, 0])] {
                let r = Repository::new(&[]);
                r.write("old.json", sides[from].as_bytes());
                r.write("new.json", sides[to].as_bytes());
                let json = r.run(&["diff", "old.json", "new.json", "--format", "json"]).json();
                assert_eq!(changes(&json, list), expected, "{allowed} {old} -> {new}");
            }
        }
    }
}

const BUCKET: &str = r"Parameters:
  Ext: {Type: String, Default: ''}
Conditions:
  Own: !Equals [!Ref Ext, '']
Resources:
  B:
    Condition: Own
    Type: AWS::S3::Bucket
    Properties: {BucketName: named}
  P:
    Condition: Own
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref B
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: delivery.logs.amazonaws.com}
            Action: s3:GetBucketAcl
            Resource: !GetAtt B.Arn
          - {Effect: Deny, Principal: '*', Action: 's3:DeleteBucket', Resource: !GetAtt B.Arn}
";

const ADMIN: &str = r"Resources:
  Admin:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: ec2.amazonaws.com}}]
";

#[test]
fn a_deny_under_a_condition_is_one_where_the_condition_holds() {
    let deny = BUCKET.lines().last().unwrap();
    let open = BUCKET.replace(deny, "");
    let gone = compared(
        &[("a.yaml", ADMIN), ("b.yaml", BUCKET)],
        &[("a.yaml", ADMIN), ("b.yaml", &open)],
    );
    assert_eq!(
        changes(&gone, "gained"),
        ["Admin: s3:DeleteBucket on arn:aws:s3:::named"]
    );
    let added = compared(
        &[("a.yaml", ADMIN), ("b.yaml", &open)],
        &[("a.yaml", ADMIN), ("b.yaml", BUCKET)],
    );
    assert_eq!(
        changes(&added, "lost"),
        ["Admin: s3:DeleteBucket on arn:aws:s3:::named"]
    );
}

#[test]
fn identities_of_other_root_modules_are_not_taken_to_be_of_the_account() {
    let bucket = |deny: &str| {
        format!(
            r#"resource "aws_s3_bucket" "b" {{
  bucket = "named"
}}
resource "aws_s3_bucket_policy" "b" {{
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Deny", Principal = "*", Action = [{deny}], Resource = "arn:aws:s3:::named" }}] }})
}}
"#
        )
    };
    let role = r#"resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Statement = [] })
}
resource "aws_iam_role_policy_attachment" "r" {
  role       = aws_iam_role.r.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
"#;
    let (old, new) = (
        bucket("\"s3:DeleteBucket\", \"s3:PutBucketAcl\""),
        bucket("\"s3:PutBucketAcl\""),
    );
    let json = compared(
        &[("a/m.tf", role), ("b/m.tf", &old)],
        &[("a/m.tf", role), ("b/m.tf", &new)],
    );
    assert_eq!(changes(&json, "gained"), Vec::<String>::new());
    assert_eq!(json["unknown"].as_array().unwrap().len(), 1);
    let json = compared(
        &[("b/r.tf", role), ("b/m.tf", &old)],
        &[("b/r.tf", role), ("b/m.tf", &new)],
    );
    assert_eq!(
        changes(&json, "gained"),
        ["aws_iam_role.r: s3:DeleteBucket on arn:aws:s3:::named"]
    );
}

#[test]
fn each_principal_keeps_its_own_actions() {
    let statement = |principal: &str, action: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "{action}", "Resource": "arn:aws:s3:::b/*"}}"#
        )
    };
    let allows = [
        statement("\"*\"", "s3:GetObject"),
        statement(r#"{"AWS": "arn:aws:iam::222233334444:role/w"}"#, "s3:PutObject"),
    ];
    let deny = r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}"#;
    let of = |all: &[&str]| format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, all.join(", "));
    let r = Repository::new(&[]);
    r.write("old.json", of(&[&allows[0], &allows[1], deny]).as_bytes());
    r.write("new.json", of(&[&allows[0], &allows[1]]).as_bytes());
    let text = r.run(&["diff", "old.json", "new.json", "--format", "markdown"]).out;
    assert!(text.contains("each as its statement says"), "{text}");
}

#[test]
fn a_value_that_no_request_has_is_no_great_gain() {
    let of = |value: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "kms:CreateGrant", "Resource": "*", "Condition": {{"StringEquals": {{"kms:ViaService": "{value}"}}}}}}]}}"#
        )
    };
    let r = Repository::new(&[]);
    r.write("old.json", of("rds.eu-west-1.amazonaws.com").as_bytes());
    r.write("new.json", of("*").as_bytes());
    let json = r.run(&["diff", "old.json", "new.json", "--format", "json"]).json();
    assert_eq!(json["gained"][0]["severity"], "low", "{json:#}");
}

const WORKER: &str = r#"resource "aws_iam_policy" "limit" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["s3:*", "sqs:*"], Resource = "*" },
    { Effect = "Allow", Action = ["iam:DeletePolicy", "iam:GetPolicy"], Resource = "arn:aws:iam::111122223333:policy/apps/*" },
    { Effect = "Deny", Action = "iam:DeletePolicy", Resource = "arn:aws:iam::111122223333:policy/apps/kept" },
  ] })
}
resource "aws_iam_role" "w" {
  name                 = "w"
  assume_role_policy   = jsonencode({ Statement = [] })
  permissions_boundary = aws_iam_policy.limit.arn
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.w.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["iam:DeletePolicy", "s3:GetObject"], Resource = "*" }] })
}
"#;

#[test]
fn a_boundary_limits_by_resources_too() {
    // What the boundary does not reach is not gained, and what it allows is.
    let json = edited(
        "m.tf",
        WORKER,
        "\"s3:GetObject\"]",
        "\"s3:GetObject\", \"iam:CreateUser\"]",
    );
    assert_eq!(
        (changes(&json, "gained"), json["unknown"].as_array().unwrap().len()),
        (vec![], 0)
    );
    let json = edited(
        "m.tf",
        WORKER,
        "\"s3:GetObject\"]",
        "\"s3:GetObject\", \"iam:GetPolicy\"]",
    );
    assert_eq!(changes(&json, "gained"), ["aws_iam_role.w: iam:GetPolicy on *"]);
    let request = &json["gained"][0]["request"];
    assert!(
        request["resource"].as_str().unwrap().contains(":policy/apps/"),
        "{request}"
    );
    let wider = edited("m.tf", WORKER, "policy/apps/*\"", "policy/*\"");
    assert_eq!(changes(&wider, "gained").len(), 1);
    let deny = WORKER.lines().find(|l| l.contains("Deny")).unwrap();
    let json = edited("m.tf", WORKER, deny, "");
    assert_eq!(
        changes(&json, "gained"),
        ["aws_iam_role.w: iam:DeletePolicy on arn:aws:iam::111122223333:policy/apps/kept"]
    );
    let elsewhere = WORKER.replace("policy/apps/kept", "policy/other/kept");
    let deny = elsewhere.lines().find(|l| l.contains("Deny")).unwrap();
    assert_eq!(
        changes(&edited("m.tf", &elsewhere, deny, ""), "gained"),
        Vec::<String>::new()
    );
}

#[test]
fn an_unknown_boundary_leaves_open_what_a_deny_withheld() {
    let of = |deny: &str| {
        format!(
            r#"variable "limit" {{}}
resource "aws_iam_role" "r" {{
  name                 = "r"
  assume_role_policy   = jsonencode({{ Statement = [] }})
  permissions_boundary = var.limit
}}
resource "aws_iam_role_policy_attachment" "r" {{
  role       = aws_iam_role.r.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}}
resource "aws_sqs_queue" "q" {{
  name = "q"
}}
resource "aws_sqs_queue_policy" "q" {{
  queue_url = aws_sqs_queue.q.id
  policy    = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Deny", Principal = "*", Action = [{deny}], Resource = "*" }}] }})
}}
"#
        )
    };
    let both = of("\"sqs:PurgeQueue\", \"sqs:SendMessage\"");
    let json = compared(&[("m.tf", &both)], &[("m.tf", &of("\"sqs:SendMessage\""))]);
    assert_eq!(changes(&json, "gained"), Vec::<String>::new());
    let why = json["unknown"][0]["why"].as_str().unwrap();
    assert!(
        why.starts_with("may gain `sqs:PurgeQueue`") && why.ends_with("within a boundary that is not compared"),
        "{why}"
    );
    // An action of another service is denied by no policy of a queue.
    let json = compared(
        &[("m.tf", &both)],
        &[(
            "m.tf",
            &of("\"sqs:PurgeQueue\", \"sqs:SendMessage\", \"lambda:InvokeFunction\""),
        )],
    );
    assert_eq!(
        (changes(&json, "lost"), json["unknown"].as_array().unwrap().len()),
        (vec![], 0),
        "{json:#}"
    );
}

#[test]
fn a_module_of_several_roots_is_several_roles() {
    let module = |condition: &str| {
        format!(
            r#"variable "name" {{}}
resource "aws_s3_bucket" "b" {{
  bucket = var.name
}}
resource "aws_s3_bucket_policy" "b" {{
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Deny", Principal = "*", Action = "s3:GetObject", Resource = "${{aws_s3_bucket.b.arn}}/*"{condition} }}] }})
}}
resource "aws_iam_role" "r" {{
  name               = "${{var.name}}-r"
  assume_role_policy = jsonencode({{ Statement = [] }})
}}
resource "aws_iam_role_policy" "r" {{
  role   = aws_iam_role.r.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "s3:GetObject", Resource = "${{aws_s3_bucket.b.arn}}/*" }}] }})
}}
"#
        )
    };
    let root = |name: &str| format!("module \"m\" {{\n  source = \"../m\"\n  name   = \"{name}\"\n}}\n");
    let of = |condition: &str| {
        [
            ("a/main.tf", root("one")),
            ("b/main.tf", root("two")),
            ("m/main.tf", module(condition)),
        ]
    };
    fn files<'f>(all: &'f [(&'f str, String); 3]) -> Vec<(&'f str, &'f str)> {
        all.iter().map(|(path, text)| (*path, text.as_str())).collect()
    }
    let (old, new) = (
        of(", Condition = { Bool = { \"aws:SecureTransport\" = \"false\" } }"),
        of(""),
    );
    let json = compared(&files(&old), &files(&new));
    let expected = [
        "module.m.aws_iam_role.r (a): s3:GetObject on arn:aws:s3:::one/*",
        "module.m.aws_iam_role.r (b): s3:GetObject on arn:aws:s3:::two/*",
    ];
    assert_eq!(changes(&json, "lost"), expected);
}

#[test]
fn resources_of_a_deny_that_nest_or_cross() {
    let allow = |on: &str| format!(r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": [{on}]}}"#);
    let deny = |on: &str| format!(r#", {{"Effect": "Deny", "Action": "s3:GetObject", "Resource": [{on}]}}"#);
    let of = |allowed: &str, denied: &str| {
        let deny = if denied.is_empty() { String::new() } else { deny(denied) };
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{}{deny}]}}"#,
            allow(allowed)
        )
    };
    let arns = |names: &[&str]| {
        let all: Vec<String> = names.iter().map(|n| format!("\"arn:aws:s3:::{n}\"")).collect();
        all.join(", ")
    };
    let cases: [[&[&str]; 5]; 3] = [
        [&["a/x/*"], &["a/*", "a/x/1/*"], &[], &["a/x/*"], &[]],
        [
            &["a/*", "b/*"],
            &["a/y/*", "*/x/*"],
            &["b/y/*"],
            &["a/y/*", "*/x/*"],
            &["b/y/*"],
        ],
        [
            &["a/*", "b/*"],
            &["a/x/*"],
            &["b/y/*", "a/x/1/*"],
            &["a/x/*"],
            &["b/y/*"],
        ],
    ];
    for [allowed, old, new, gained, lost] in cases {
        let r = Repository::new(&[]);
        r.write("old.json", of(&arns(allowed), &arns(old)).as_bytes());
        r.write("new.json", of(&arns(allowed), &arns(new)).as_bytes());
        let json = r.run(&["diff", "old.json", "new.json", "--format", "json"]).json();
        let expected = |names: &[&str]| {
            let all: Vec<String> = names.iter().map(|n| format!("arn:aws:s3:::{n}")).collect();
            let line = format!("new.json: s3:GetObject on {}", all.join(" "));
            if all.is_empty() { vec![] } else { vec![line] }
        };
        assert_eq!(
            (changes(&json, "gained"), changes(&json, "lost")),
            (expected(gained), expected(lost)),
            "{old:?} -> {new:?}"
        );
    }
}
