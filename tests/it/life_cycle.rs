//! Rules that are renamed, new, or on their way out.

use crate::support::repository::Repository;

const OLD: &str = "condition-ifexists-weakens-deny";
const NEW: &str = "condition-ifexists-widens-deny";

/// A Deny whose condition is true when the key is absent.
fn deny_policy(comment: &str) -> String {
    format!(
        r#"resource "aws_iam_policy" "p" {{
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect   = "Deny"
      Action   = "s3:GetObject"
      Resource = "arn:aws:s3:::reports/*"
      {comment}
      Condition = {{ IpAddressIfExists = {{ "aws:SourceIp" = "203.0.113.0/24" }} }}
    }}]
  }})
}}
"#
    )
}

const CHECK: &[&str] = &["check", "--profile", "strict", "--format", "json"];

#[test]
fn an_ignore_with_an_earlier_name_still_counts_and_is_rewritten() {
    let comment = format!("# overgrant: ignore[{OLD}] -- reviewed");
    let repo = Repository::new(&[("main.tf", &deny_policy(&comment))]);
    let ran = repo.run(CHECK);
    assert_eq!(ran.with_status("suppressed"), [NEW]);
    assert!(ran.rules().contains(&"unknown-rule-in-ignore".to_owned()));
    assert!(ran.out.contains(&format!("was renamed to `{NEW}`")), "{}", ran.out);
    repo.run(&["fix"]);
    assert!(repo.read("main.tf").contains(&format!("ignore[{NEW}] -- reviewed")));
    assert!(!repo.run(CHECK).out.contains("unknown-rule-in-ignore"));
}

#[test]
fn settings_with_an_earlier_name_count_and_are_reported() {
    let settings = [
        format!(r#"ignore = ["{OLD}"]"#),
        format!(
            r#"[rules.{OLD}]
severity = "low"
"#
        ),
        format!(
            r#"[per-file."*.tf"]
ignore = ["{OLD}"]
"#
        ),
        format!(
            r#"[[exception]]
rule = "{OLD}"
path = "*.tf"
reason = "reviewed"
"#
        ),
    ];
    for toml in &settings {
        let repo = Repository::new(&[("main.tf", &deny_policy("")), ("overgrant.toml", toml)]);
        let ran = repo.run(CHECK);
        let json = ran.json();
        let found = json["findings"].as_array().unwrap().iter().find(|f| f["rule"] == NEW);
        let open = found.filter(|f| f["status"] == "new" && f["severity"] != "low");
        assert!(
            open.is_none(),
            r"{toml}
{}",
            ran.out
        );
        assert!(
            ran.err.contains(&format!("`{OLD}` was renamed to `{NEW}`")),
            r"{toml}
{}",
            ran.err
        );
        assert!(ran.err.contains("overgrant.toml:"), "{}", ran.err);
    }
    let repo = Repository::new(&[("main.tf", &deny_policy(""))]);
    let ran = repo.run(&["check", "--only", OLD, "--format", "json"]);
    assert_eq!(ran.rules(), [NEW]);
    assert!(ran.err.contains("was renamed"), "{}", ran.err);
    assert!(repo.run(&["explain", OLD]).out.starts_with(NEW));
}

/// A rule of the user's own that forbids one action.
fn own(name: &str, more: &str) -> String {
    format!(
        r#"id: acme/{name}
title: deletes buckets
severity: high
confidence: high
since: 1.0.0
{more}
why: Buckets hold what cannot be made again. Nobody deletes them by a policy.
do: Remove the action.
match:
  statement:
    effect: allow
    action: {{any: {{is: "s3:DeleteBucket"}}, as: act}}
report:
  at: act
  message: "`{{act}}` deletes buckets"
examples:
  bad: []
  good: []
"#
    )
}

const DELETES: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Action": "s3:DeleteBucket", "Resource": "arn:aws:s3:::reports"}]}"#;

fn repository_with_rule(rule: &str, more: &str, settings: &str) -> Repository {
    let settings = format!(
        r#"{settings}
rule-dirs = ["policies"]
"#
    );
    Repository::new(&[
        ("p.json", DELETES),
        ("overgrant.toml", &settings),
        (&format!("policies/{rule}.yaml"), &own(rule, more)),
    ])
}

#[test]
fn a_baseline_follows_a_renamed_rule() {
    let repo = repository_with_rule("no-delete", "", r#"select = ["acme"]"#);
    repo.run(&["baseline", "create"]);
    assert_eq!(repo.run(CHECK).rules(), [""; 0]);
    std::fs::remove_file(repo.path("policies/no-delete.yaml")).unwrap();
    let renamed = own("keep-buckets", "renamed-from: [acme/no-delete]");
    repo.write("policies/keep-buckets.yaml", renamed.as_bytes());
    let ran = repo.run(CHECK);
    assert_eq!(ran.rules(), [""; 0], "{}", ran.out);
    assert!(
        ran.err.contains("1 entry names a rule by an earlier name"),
        "{}",
        ran.err
    );
    repo.run(&["baseline", "update"]);
    let ran = repo.run(CHECK);
    assert!(!ran.err.contains("earlier name"), "{}", ran.err);
    assert_eq!(ran.rules(), [""; 0]);
}

#[test]
fn a_preview_rule_runs_only_by_its_name() {
    for (select, expected) in [("acme", 0), ("acme/*", 0), ("all", 0), ("acme/no-delete", 1)] {
        let repo = repository_with_rule("no-delete", "preview: true", &format!(r#"select = ["{select}"]"#));
        let rules = repo.run(&["check", "--format", "json"]).rules();
        let own = rules.iter().filter(|r| *r == "acme/no-delete").count();
        assert_eq!(own, expected, "{select}: {rules:?}");
    }
}

#[test]
fn a_deprecated_rule_runs_and_says_what_to_use_instead() {
    let repo = repository_with_rule(
        "no-delete",
        "deprecated: Use `forbidden-action`.",
        r#"select = ["acme/no-delete"]"#,
    );
    let ran = repo.run(&["check", "--format", "json"]);
    assert_eq!(ran.rules(), ["acme/no-delete"]);
    assert!(
        ran.err.contains("is deprecated: Use `forbidden-action`."),
        "{}",
        ran.err
    );
    assert!(
        repo.run(&["explain", "acme/no-delete"])
            .out
            .contains("Deprecated: Use `forbidden-action`.")
    );
}
