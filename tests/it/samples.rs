//! What only shows a policy or a key, what is encrypted, what nothing uses, and what belongs to other systems.

use crate::support::repository::{Repository, key_pair};

const ADMIN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

fn reported_rules_of(files: &[(&str, &str)], args: &[&str]) -> Vec<String> {
    Repository::new(files)
        .run(&[&["check", "-f", "json"], args].concat())
        .rules()
}

#[test]
fn samples_are_test_code() {
    let detection = format!(
        r"Tests:
  - Name: a
    ExpectedResult: false
    Resource: {{PolicyDocument: '{ADMIN}'}}
"
    );
    let guard = format!(
        r"- name: a
  input: {{PolicyDocument: {ADMIN}}}
  expectations: {{}}
"
    );
    let recorded = format!(
        r#"{{"calls": [{{"Role": {{"RoleId": "AROAEXAMPLEEXAMPLE12", "CreateDate": "2026-01-01", "PolicyDocument": {ADMIN}}}}}]}}"#
    );
    let answer = format!(
        r#"{{"PolicyVersion": {{"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2026-01-01", "Document": {ADMIN}}}}}"#
    );
    let all = reported_rules_of(&[("policy.json", &answer)], &["--only", "admin-star-star"]);
    assert_eq!(all, ["admin-star-star"], "people keep policies so");
    let item = format!(
        r#"{{"resourceType": "AWS::IAM::Policy", "awsAccountId": "111122223333", "configuration": {{"PolicyDocument": {ADMIN}}}}}"#
    );
    let mock = format!("mock_policy = {ADMIN}\n");
    let semgrep = r#"# ruleid: admin
resource "aws_iam_policy" "a" {
  policy = jsonencode({Version = "2012-10-17", Statement = [{Effect = "Allow", Action = "*", Resource = "*"}]})
}
"#;
    for (path, text) in [
        ("rule.yml", &*detection),
        ("guard.yaml", &*guard),
        ("role.json", &*recorded),
        ("item.json", &*item),
        ("check.py", &*mock),
        ("admin.tf", semgrep),
    ] {
        let only = ["--only", "admin-star-star"];
        assert!(reported_rules_of(&[(path, text)], &only).is_empty(), "{path}");
        let shown = reported_rules_of(&[(path, text)], &[&only[..], &["--tests"]].concat());
        assert_eq!(shown, ["admin-star-star"], "{path}");
        // What is named is reported as in a run over everything.
        assert!(
            reported_rules_of(&[(path, text)], &[&only[..], &[path]].concat()).is_empty(),
            "{path}"
        );
    }
}

#[test]
fn copies_of_managed_policies_are_set_aside() {
    let copy = |arn: &str| format!(r#"{{"Arn": "{arn}", "PolicyName": "a", "PolicyDocument": {ADMIN}}}"#);
    let of = |arn: &str| reported_rules_of(&[("p.json", &copy(arn))], &["--only", "admin-star-star"]);
    assert!(of("arn:aws:iam::aws:policy/AdministratorAccess").is_empty());
    assert_eq!(of("arn:aws:iam::111122223333:policy/a"), ["admin-star-star"]);
}

#[test]
fn the_account_of_a_document_stands_around_it() {
    let trust = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"}]}"#;
    let only = ["--only", "trust-cross-account-without-external-id", "r.json"];
    for (around, expected) in [
        (r#""Arn": "arn:aws:iam::444455556666:role/a""#, 0),
        (r#""AccountId": "444455556666""#, 0),
        (r#""Arn": "arn:aws:iam::777788889999:role/a""#, 1),
        (r#""Name": "a""#, 1),
    ] {
        for role in [r#""RoleName": "a", "#, ""] {
            let text = format!(r#"{{"Role": {{{role}{around}, "AssumeRolePolicyDocument": {trust}}}}}"#);
            assert_eq!(reported_rules_of(&[("r.json", &text)], &only).len(), expected, "{text}");
        }
    }
}

#[test]
fn encrypted_files_are_not_judged() {
    let r = Repository::new(&[
        (
            "policy.json",
            r"version https://git-lfs.github.com/spec/v1
oid sha256:00
size 1
",
        ),
        (
            "logo.svg",
            r"version https://git-lfs.github.com/spec/v1
oid sha256:00
size 1
",
        ),
        (
            "vault.yml",
            r"$ANSIBLE_VAULT;1.1;AES256
3461
",
        ),
        (
            "sops.yaml",
            r"Version: ENC[AES256_GCM,data:a]
Statement:
- Effect: ENC[AES256_GCM,data:a]
sops:
  version: 3.8
",
        ),
    ]);
    r.write("prod.tfvars", b"\0GITCRYPT\0\x01\xff\xfe");
    let expected = [
        "policy.json: a Git LFS pointer: run `git lfs pull`, then check the file",
        "prod.tfvars: encrypted with git-crypt",
        "sops.yaml: encrypted with SOPS",
        "vault.yml: encrypted with Ansible Vault",
    ];
    for paths in [&[][..], &["policy.json", "prod.tfvars", "sops.yaml", "vault.yml"]] {
        let ran = r.run(&[&["check", "-f", "json"], paths].concat());
        assert_eq!((ran.code, ran.rules().len()), (0, 0), "{}", ran.out);
        assert_eq!(ran.unjudged(), expected);
    }
}

#[test]
fn a_key_id_in_a_record_is_low() {
    let (id, _) = key_pair();
    let severity = |text: &str| {
        let ran = Repository::new(&[("e.json", text)]).run(&["check", "-f", "json"]);
        let json = ran.json();
        let first = &json["findings"][0];
        (
            first["severity"].as_str().unwrap().to_owned(),
            first["notes"].to_string(),
        )
    };
    let event = |account: &str| {
        format!(r#"{{"eventName": "a", "userIdentity": {{"accountId": "{account}", "accessKeyId": "{id}"}}}}"#)
    };
    let (level, notes) = severity(&event("444455556666"));
    assert_eq!(level, "low");
    assert!(!notes.contains("belongs to account"), "{notes}");
    let (level, notes) = severity(&format!(r#"{{"key": "{id}"}}"#));
    assert_eq!(level, "high");
    assert!(notes.contains("if it is real, the key belongs to account"), "{notes}");
}

#[test]
fn what_nothing_uses_says_so() {
    let document = |name: &str| {
        format!(
            r#"data "aws_iam_policy_document" "{name}" {{
  statement {{
    actions = ["s3:*"]
    resources = ["*"]
  }}
}}
"#
        )
    };
    let bucket = r#"resource "aws_s3_bucket" "b" {}
"#;
    let confidence = |text: &str| {
        let ran = Repository::new(&[("main.tf", text)]).run(&["check", "-f", "json", "--only", "service-wildcard"]);
        let json = ran.json();
        let says = json["findings"][0]["notes"]
            .to_string()
            .contains("nothing in this repository uses this policy");
        (json["findings"][0]["confidence"].as_str().unwrap().to_owned(), says)
    };
    let (alone, part) = (document("a") + bucket, document("a"));
    let handed = format!(
        r#"{alone}output "x" {{
  value = data.aws_iam_policy_document.a.json
}}
"#
    );
    let module = format!(
        r#"{alone}module "x" {{
  source = "elsewhere/x/aws"
  policy = data.aws_iam_policy_document.a.json
}}
"#
    );
    assert_eq!(confidence(&alone), ("medium".to_owned(), true));
    for text in [&part, &handed, &module] {
        assert_eq!(confidence(text), ("high".to_owned(), false), "{text}");
    }
}

#[test]
fn policies_of_another_system_are_set_aside() {
    let file = |action: &str| {
        format!(
            r#"{{"roles": {{
"a": {{"Version": "2012-10-17", "Statement": [{{"Sid": "read_orders", "Effect": "Allow", "Action": "{action}", "Resource": "arn:shop:orders:*:*:order/*"}}]}},
"b": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "shop:Put", "Resource": "*"}}]}}}}}}"#
        )
    };
    assert!(reported_rules_of(&[("roles.json", &file("shop:Get"))], &[]).is_empty());
    assert!(!reported_rules_of(&[("roles.json", &file("s3:GetObject"))], &[]).is_empty());
}

#[test]
fn the_actions_that_fit_are_counted_with_an_unknown_name() {
    let message = |path: &str, text: &str| {
        let ran = Repository::new(&[(path, text)]).run(&["check", "-f", "json", "--only", "service-wildcard"]);
        ran.json()["findings"][0]["message"].as_str().unwrap().to_owned()
    };
    let of = |bucket: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::{bucket}", "arn:aws:s3:::{bucket}/*"]}}]}}"#
        )
    };
    let known = message("p.json", &of("orders"));
    assert!(known.contains("that applies to these resources"), "{known}");
    for bucket in [
        "$BUCKET",
        "$bucket",
        "%BUCKET%",
        "@@BUCKET@@",
        "orders-${stage}",
        "<bucket>",
        "REPLACE_ME",
    ] {
        assert_eq!(message("p.json", &of(bucket)), known, "{bucket}");
    }
    let python = format!(
        r"import boto3
def f(b):
    boto3.client('iam').put_role_policy(RoleName='r', PolicyName='p', PolicyDocument=f'''{}''')
",
        of("{b}")
            .replace(r#"{"V"#, r#"{{"V"#)
            .replace(r#"[{"E"#, r#"[{{"E"#)
            .replace("}]}", "}}]}}")
    );
    assert_eq!(message("p.py", &python), known);
    let terraform = format!(
        r#"variable "b" {{}}
resource "aws_iam_policy" "p" {{
  policy = <<E
{}
E
}}
"#,
        of("${var.b}")
    );
    assert_eq!(message("main.tf", &terraform), known);
}
