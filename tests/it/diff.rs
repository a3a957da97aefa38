//! `diff` of files, folders, and revisions.

use serde_json::Value;

use crate::support::diff::{compared, sides, words};
use crate::support::git::{commit, committed, git};
use crate::support::repository::{Ran, Repository};

const ROLE: &str = r#"resource "aws_iam_role" "ci" {
  name               = "ci"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
"#;

const INLINE: &str = r#"resource "aws_iam_role_policy" "ci" {
  role   = aws_iam_role.ci.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "arn:aws:s3:::b/*" },
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:us-east-1:111122223333:q" },
    ]
  })
}
"#;

/// Reordered, and split into two policies, one of them a data source.
const SPLIT: &str = r#"resource "aws_iam_role_policy" "queue" {
  role   = aws_iam_role.ci.name
  policy = data.aws_iam_policy_document.queue.json
}
data "aws_iam_policy_document" "queue" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = ["arn:aws:sqs:us-east-1:111122223333:q"]
  }
}
resource "aws_iam_policy" "bucket" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "s3:PutObject", Resource = ["arn:aws:s3:::b/*"] },
      { Effect = "Allow", Action = "s3:GetObject", Resource = ["arn:aws:s3:::b/*", "arn:aws:s3:::b/logs/*"] },
    ]
  })
}
resource "aws_iam_role_policy_attachment" "bucket" {
  role       = aws_iam_role.ci.name
  policy_arn = aws_iam_policy.bucket.arn
}
"#;

/// `subject: actions at token` of each change.
fn said(json: &Value, list: &str) -> Vec<String> {
    let all = json[list].as_array().unwrap().iter();
    all.map(|c| format!("{}: {}", c["subject"].as_str().unwrap(), words(&c["actions"])))
        .collect()
}

fn is_empty(json: &Value) -> bool {
    ["gained", "lost", "unknown"]
        .iter()
        .all(|list| json[list] == serde_json::json!([]))
}

/// The text at the place of the only gain.
fn token(r: &Repository, json: &Value) -> String {
    let gain = &json["gained"][0];
    let text = r.read(gain["path"].as_str().unwrap());
    let at = |end: &str| usize::try_from(gain["span"][end]["offset"].as_u64().unwrap()).unwrap();
    text[at("start")..at("end")].to_owned()
}

/// The one line of a run that could not do its work.
fn failure(ran: &Ran) -> String {
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert_eq!(ran.err.trim_end().lines().count(), 1, "{}", ran.err);
    ran.err.trim_end().strip_prefix("error: ").unwrap().to_owned()
}

#[test]
fn what_says_the_same_has_no_difference() {
    let same = [("main.tf", &*format!("{ROLE}{INLINE}"))];
    assert!(is_empty(&compared(&same, &same)));
    let split = compared(&same, &[("roles.tf", ROLE), ("policies.tf", SPLIT)]);
    assert!(is_empty(&split), "{split:#}");
    let merged = compared(&[("main.tf", &*format!("{ROLE}{SPLIT}"))], &same);
    assert!(is_empty(&merged), "{merged:#}");
    let list = INLINE.replace(r#""sqs:SendMessage""#, r#"["sqs:SendMessage", "sqs:sendmessage*"]"#);
    let listed = compared(&same, &[("main.tf", &*format!("{ROLE}{list}"))]);
    assert!(is_empty(&listed), "{listed:#}");
}

#[test]
fn moves_and_new_names_are_moves() {
    let whole = format!("{ROLE}{INLINE}");
    let call = "module \"ci\" {\n  source = \"./ci\"\n}\n";
    let json = compared(&[("main.tf", &whole)], &[("main.tf", call), ("ci/main.tf", &whole)]);
    assert!(is_empty(&json), "{json:#}");
    assert_eq!(json["moved"][0]["from"], "aws_iam_role.ci");
    assert_eq!(json["moved"][0]["subject"], "module.ci.aws_iam_role.ci");
    let renamed = whole.replace("\"aws_iam_role\" \"ci\"", "\"aws_iam_role\" \"builder\"");
    let renamed = renamed.replace("aws_iam_role.ci", "aws_iam_role.builder");
    let json = compared(&[("main.tf", &whole)], &[("main.tf", &renamed)]);
    assert!(is_empty(&json), "{json:#}");
    assert_eq!(json["moved"][0]["subject"], "aws_iam_role.builder");
    let policy =
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#;
    let other = policy.replace("s3:GetObject", "sqs:SendMessage");
    let json = compared(
        &[("a.json", policy), ("b.json", &other)],
        &[("x/a.json", policy), ("b.json", &other)],
    );
    assert!(is_empty(&json), "{json:#}");
    assert_eq!(json["moved"][0]["from"], "old/a.json");
}

#[test]
fn gains_and_losses_are_at_their_tokens() {
    let whole = format!("{ROLE}{INLINE}");
    let attached = format!(
        "{whole}resource \"aws_iam_role_policy_attachment\" \"a\" {{\n  role = aws_iam_role.ci.name\n  policy_arn = \"arn:aws:iam::aws:policy/AdministratorAccess\"\n}}\n"
    );
    let cases = [
        (
            whole.replace("\"s3:PutObject\"", "\"s3:DeleteObject\""),
            "\"s3:DeleteObject\"",
        ),
        (
            whole.replace("arn:aws:s3:::b/*", "arn:aws:s3:::*"),
            "\"arn:aws:s3:::*\"",
        ),
        (
            whole.replace("ec2.amazonaws.com", "lambda.amazonaws.com"),
            "\"lambda.amazonaws.com\"",
        ),
        (attached, "\"arn:aws:iam::aws:policy/AdministratorAccess\""),
    ];
    for (text, expected) in cases {
        let r = sides(&[("main.tf", &whole)], &[("main.tf", &text)]);
        let json = r.run(&["diff", "old", "new", "--format", "json"]).json();
        assert_eq!(json["gained"].as_array().unwrap().len(), 1, "{json:#}");
        assert_eq!(token(&r, &json), expected, "{json:#}");
        assert_eq!(json["unknown"], serde_json::json!([]), "{json:#}");
        let back = r.run(&["diff", "new", "old", "--format", "json"]).json();
        assert_eq!(back["lost"].as_array().unwrap().len(), 1, "{back:#}");
    }
}

#[test]
fn a_subject_on_one_side_gains_or_loses_all_that_it_has() {
    let whole = format!("{ROLE}{INLINE}");
    let json = compared(&[("main.tf", "")], &[("main.tf", &whole)]);
    assert_eq!(
        said(&json, "gained"),
        [
            "aws_iam_role.ci (trust): sts:AssumeRole",
            "aws_iam_role.ci: s3:GetObject s3:PutObject",
            "aws_iam_role.ci: sqs:SendMessage"
        ]
    );
    assert_eq!(said(&json, "lost"), [""; 0]);
    let json = compared(&[("main.tf", &whole)], &[("main.tf", ROLE)]);
    assert_eq!(said(&json, "gained"), [""; 0]);
    assert_eq!(said(&json, "lost").len(), 2, "{json:#}");
}

#[test]
fn a_boundary_that_lists_actions_counts() {
    let role = ROLE.replace(
        "  assume_role_policy",
        "  permissions_boundary = aws_iam_policy.limit.arn\n  assume_role_policy",
    );
    let limit = |action: &str| {
        format!(
            "resource \"aws_iam_policy\" \"limit\" {{\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = [{action}], Resource = \"*\" }}] }})\n}}\n"
        )
    };
    let old = format!("{role}{INLINE}{}", limit("\"s3:*\""));
    let json = compared(
        &[("main.tf", &old)],
        &[("main.tf", &old.replace("sqs:SendMessage", "sqs:*"))],
    );
    assert!(is_empty(&json), "{json:#}");
    let new = format!("{role}{INLINE}{}", limit("\"s3:*\", \"sqs:*\""));
    let json = compared(&[("main.tf", &old)], &[("main.tf", &new)]);
    assert_eq!(said(&json, "gained"), ["aws_iam_role.ci: sqs:SendMessage"]);
    // No queue is in it.
    let narrow = new.replace("Resource = \"*\" }] })", "Resource = \"arn:aws:s3:::*\" }] })");
    let json = compared(&[("main.tf", &new)], &[("main.tf", &narrow)]);
    assert_eq!(
        (said(&json, "gained"), said(&json, "lost")),
        (vec![], vec!["aws_iam_role.ci: sqs:SendMessage".to_owned()])
    );
    let conditional = new.replace(
        "Resource = \"*\" }] })",
        "Resource = \"*\", Condition = { Bool = { \"aws:SecureTransport\" = \"true\" } } }] })",
    );
    let json = compared(&[("main.tf", &new)], &[("main.tf", &conditional)]);
    assert_eq!(said(&json, "gained"), [""; 0]);
    let lost = [
        "aws_iam_role.ci: s3:GetObject s3:PutObject",
        "aws_iam_role.ci: sqs:SendMessage",
    ];
    assert_eq!(said(&json, "lost"), lost);
    let context = &json["lost"][0]["request"]["context"]["aws:securetransport"];
    assert!(context.to_string().contains("false"), "{json:#}");
}

#[test]
fn a_deny_that_goes_from_a_control_policy_is_a_gain() {
    let scp = |action: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Action": {action}, "Resource": "*"}}]}}"#
        )
    };
    let (old, new) = (scp(r#"["iam:*", "kms:*"]"#), scp(r#"["iam:*"]"#));
    let r = sides(&[("scp.json", &old)], &[("scp.json", &new)]);
    let args = [
        "diff",
        "old",
        "new",
        "--format",
        "json",
        "--policy-kind",
        "**/scp.json=scp",
    ];
    let json = r.run(&args).json();
    assert_eq!(json["gained"].as_array().unwrap().len(), 1, "{json:#}");
    assert_eq!(json["gained"][0]["path"], "new/scp.json");
}

#[test]
fn a_broken_file_is_unknown() {
    let policy =
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#;
    let r = sides(
        &[("a.json", policy), ("b.json", policy)],
        &[("a.json", policy), ("b.json", &policy[..policy.len() - 2])],
    );
    let ran = r.run(&["diff", "old", "new", "--format", "json"]);
    let json = ran.json();
    assert_eq!(ran.code, 1);
    assert_eq!(json["unknown"][0]["subject"], "new/b.json", "{json:#}");
    assert_eq!((said(&json, "gained"), said(&json, "lost")), (vec![], vec![]));
}

#[test]
fn references_to_resources_of_the_repository_are_their_arns() {
    let queue = "resource \"aws_sqs_queue\" \"q\" {}\nresource \"aws_sqs_queue\" \"p\" {}\n";
    let whole =
        format!("{ROLE}{INLINE}{queue}").replace("\"arn:aws:sqs:us-east-1:111122223333:q\"", "aws_sqs_queue.q.arn");
    let json = |new: &str| {
        let r = sides(&[("main.tf", &whole)], &[("main.tf", new)]);
        let json = r.run(&["diff", "old", "new", "--format", "json"]).json();
        assert_eq!(json["unknown"], serde_json::json!([]), "{json:#}");
        (said(&json, "gained"), json["gained"][0]["request"]["resource"].clone())
    };
    let (gained, resource) = json(&whole.replace("sqs:SendMessage", "sqs:DeleteQueue"));
    assert_eq!(gained, ["aws_iam_role.ci: sqs:DeleteQueue"]);
    assert_eq!(resource, "arn:aws:sqs:us-east-1:111122223333:aws_sqs_queue-q");
    let (gained, _) = json(&whole.replace("aws_sqs_queue.q.arn", "aws_sqs_queue.p.arn"));
    assert_eq!(gained, ["aws_iam_role.ci: sqs:SendMessage"]);
    let policy = "resource \"aws_sqs_queue_policy\" \"q\" {\n  queue_url = aws_sqs_queue.q.id\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"sqs:SendMessage\", Principal = { AWS = aws_iam_role.ci.arn }, Resource = aws_sqs_queue.q.arn }] })\n}\n";
    let (gained, _) = json(&format!("{whole}{policy}"));
    assert_eq!(gained, ["aws_sqs_queue.q: sqs:SendMessage"]);
}

#[test]
fn revisions_are_compared() {
    let whole = format!("{ROLE}{INLINE}");
    let r = committed(&[("infra/main.tf", &whole)]);
    let json = |args: &[&str]| r.run(&[&["diff", "--format", "json"], args].concat()).json();
    assert!(is_empty(&json(&["main"])));
    r.write(
        "infra/main.tf",
        whole.replace("s3:PutObject", "s3:DeleteObject").as_bytes(),
    );
    let gained = ["aws_iam_role.ci: s3:DeleteObject"];
    assert_eq!(said(&json(&["main"]), "gained"), gained);
    assert_eq!(json(&["main"])["gained"][0]["path"], "infra/main.tf");
    assert_eq!(said(&json(&["main:infra"]), "gained"), gained);
    assert_eq!(said(&json(&["main", "infra"]), "gained"), gained);
    assert_eq!(said(&json(&["main:infra/main.tf", "infra/main.tf"]), "gained"), gained);
    git(&r, &["switch", "--quiet", "-c", "topic"]);
    commit(&r);
    assert!(is_empty(&json(&["topic"])));
    assert_eq!(said(&json(&["main", "topic"]), "gained"), gained);
    assert_eq!(said(&json(&["topic", "main"]), "lost"), gained);
    let ran = r.run_in("infra", &["diff", "--format", "json", "main", "topic:./main.tf"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // A path before a revision of the same name.
    r.write("main", b"");
    assert!(failure(&r.run(&["diff", "main"])).contains("one argument is a Git revision"));
}

#[test]
fn what_cannot_be_compared_is_said_in_one_line() {
    let policy =
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#;
    let r = committed(&[("a.json", policy)]);
    let said = |args: &[&str]| failure(&r.run(&[&["diff"], args].concat()));
    assert_eq!(said(&["-", "-"]), "standard input cannot be both OLD and NEW");
    assert_eq!(
        said(&["mian"]),
        "`mian` is not a file or folder here: unknown revision `mian`; did you mean `main`?"
    );
    assert_eq!(said(&["main:b.json", "a.json"]), "`main` has no `b.json`");
    let none = tempfile::TempDir::new().unwrap();
    let mut command = r.command(&["diff", "main"]);
    command
        .current_dir(none.path())
        .env("GIT_CEILING_DIRECTORIES", none.path().parent().unwrap());
    let ran = crate::support::repository::finished(command);
    assert!(failure(&ran).contains("`main` is not a file or folder here: not in a git repository"));
}

#[test]
fn annotations_and_exit_codes() {
    let whole = format!("{ROLE}{INLINE}");
    let r = committed(&[("infra/main.tf", &whole)]);
    r.write(
        "infra/main.tf",
        whole.replace("s3:PutObject", "s3:DeleteObject").as_bytes(),
    );
    let ran = r.run(&["diff", "main", "--format", "github"]);
    assert!(
        ran.out
            .starts_with("::warning file=infra/main.tf,line=13,endLine=13,col=")
            && ran
                .out
                .contains(",title=access gained::`aws_iam_role.ci` gains `s3:DeleteObject` on"),
        "{}",
        ran.out
    );
    assert_eq!(ran.code, 0);
    for (flag, code) in [
        ("--fail-on-new", 1),
        ("--fail-on-new=medium", 1),
        ("--fail-on-new=high", 0),
        ("--fail-on-unjudged", 0),
    ] {
        assert_eq!(r.run(&["diff", "main", flag]).code, code, "{flag}");
    }
    let markdown = r.run(&["diff", "main", "--format", "markdown"]).out;
    assert!(
        markdown.lines().count() <= 15 && markdown.contains("1 gained, 1 lost, 0 unknown"),
        "{markdown}"
    );
}

#[test]
fn a_comment_is_short_enough_for_a_pull_request() {
    let statement = |n: usize| {
        format!(
            "      {{ Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"arn:aws:s3:::bucket-{n}/*\" }},\n"
        )
    };
    let many: String = (0..350).map(statement).collect();
    let new = INLINE.replace("    Statement = [\n", &format!("    Statement = [\n{many}"));
    let r = sides(
        &[("main.tf", &*format!("{ROLE}{INLINE}"))],
        &[("main.tf", &*format!("{ROLE}{new}"))],
    );
    let out = r.run(&["diff", "old", "new", "--format", "markdown"]).out;
    assert!(out.len() < 65_536 && out.contains("<details>") && out.trim_end().ends_with("</details>"));
}

/// A variable may have no value: a request without `aws:username` is not denied by what names it, nor allowed.
#[test]
fn variables_without_a_value_count() {
    const HOME: &str = "arn:aws:s3:::a/${aws:username}/*";
    let not_home = format!(r#"{{"Effect": "Allow", "Action": "s3:PutObject", "NotResource": "{HOME}"}}"#);
    let home = format!(r#"{{"Effect": "Allow", "Action": "s3:PutObject", "Resource": ["{HOME}", "arn:aws:s3:::b"]}}"#);
    let everything = r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}"#.to_owned();
    let conditional = |operator: &str| {
        let condition = format!(r#"{{"{operator}": {{"s3:x-amz-acl": ["private", "${{aws:username}}"]}}}}"#);
        format!(r#"{{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": {condition}}}"#)
    };
    let absent = r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": {"Null": {"s3:x-amz-acl": "true"}}}"#;
    let not_private = conditional("StringNotEqualsIfExists");
    let rows = [
        (vec![&not_home], vec![&not_home, &home], 1),
        (vec![&everything], vec![&not_home, &home], 0),
        (vec![&not_home, &home], vec![&everything], 1),
        (vec![&not_private], vec![&everything], 1),
        (vec![&conditional("StringNotEquals")], vec![&not_private], 0),
        (vec![&conditional("StringEqualsIfExists")], vec![&not_private], 1),
    ]
    .map(|(old, new, gained)| {
        (
            old.into_iter().cloned().collect(),
            new.into_iter().cloned().collect(),
            gained,
        )
    });
    let more: [(Vec<String>, Vec<String>, usize); 1] = [(vec![not_private.clone()], vec![absent.to_owned()], 0)];
    for (old, new, gained) in rows.into_iter().chain(more) {
        let document = |s: &[String]| format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, s.join(", "));
        let (old, new) = (document(&old), document(&new));
        let json = compared(&[("p.json", &old)], &[("p.json", &new)]);
        assert_eq!(
            json["gained"].as_array().unwrap().len(),
            gained,
            "{old}\n{new}\n{json:#}"
        );
        assert_eq!(said(&json, "unknown"), [""; 0], "{old}\n{new}");
    }
}

/// The name of a session may have colons, and is not the account that `NotPrincipal` leaves out.
#[test]
fn sessions_are_not_left_out_with_an_account() {
    let deny = r#"{"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::a/*"CONDITION}"#;
    let allow = r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/a"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::a/*"}"#;
    for (condition, gained) in [("", 0), (r#", "Condition": {"Null": {"aws:SourceArn": "true"}}"#, 1)] {
        let deny = deny.replace("CONDITION", condition);
        let document = |s: &[&str]| format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, s.join(", "));
        let (old, new) = (document(&[&deny]), document(&[&deny, allow]));
        let json = compared(&[("p.json", &old)], &[("p.json", &new)]);
        assert_eq!(json["gained"].as_array().unwrap().len(), gained, "{new}\n{json:#}");
        assert_eq!(said(&json, "unknown"), [""; 0], "{new}");
    }
}
