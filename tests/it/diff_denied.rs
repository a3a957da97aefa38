//! `diff` where Deny statements come, go, or change.

use serde_json::Value;

use crate::support::repository::Repository;

fn compared(old: &[(&str, &str)], new: &[(&str, &str)]) -> Value {
    let r = Repository::new(&[]);
    for (side, files) in [("old", old), ("new", new)] {
        files
            .iter()
            .for_each(|(path, text)| r.write(&format!("{side}/{path}"), text.as_bytes()));
    }
    r.run(&["diff", "old", "new", "--format", "json"]).json()
}

/// `subject: actions on resources`.
fn said(json: &Value, list: &str) -> Vec<String> {
    let words = |v: &Value| {
        let words = v.as_array().unwrap().iter().map(|a| a.as_str().unwrap());
        words.collect::<Vec<_>>().join(" ")
    };
    let all = json[list].as_array().unwrap().iter();
    all.map(|c| {
        format!(
            "{}: {} on {}",
            c["subject"].as_str().unwrap(),
            words(&c["actions"]),
            words(&c["resources"])
        )
    })
    .collect()
}

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
                assert_eq!(said(&json, list), expected, "{allowed} {old} -> {new}");
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
    assert_eq!(said(&gone, "gained"), ["Admin: s3:DeleteBucket on arn:aws:s3:::named"]);
    let added = compared(
        &[("a.yaml", ADMIN), ("b.yaml", &open)],
        &[("a.yaml", ADMIN), ("b.yaml", BUCKET)],
    );
    assert_eq!(said(&added, "lost"), ["Admin: s3:DeleteBucket on arn:aws:s3:::named"]);
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
    assert_eq!(said(&json, "gained"), Vec::<String>::new());
    assert_eq!(json["unknown"].as_array().unwrap().len(), 1);
    let json = compared(
        &[("b/r.tf", role), ("b/m.tf", &old)],
        &[("b/r.tf", role), ("b/m.tf", &new)],
    );
    assert_eq!(
        said(&json, "gained"),
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
