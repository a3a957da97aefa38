//! `[rules.NAME]`: what the settings say to a rule, and what is said of mistakes in it.

use crate::support::repository::Repository;

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Action": ["iam:CreateUser", "iam:PassRole"], "Resource": "arn:aws:iam::111122223333:*"}]}"#;

#[test]
fn each_file_is_held_to_the_options_of_its_own_settings() {
    let repo = Repository::new(&[
        (
            "overgrant.toml",
            r#"[rules.forbidden-action]
actions = "iam:CreateUser"
"#,
        ),
        ("policy.json", POLICY),
        (
            "strict/overgrant.toml",
            r#"[rules.required-condition-for-action]
all-of = { "iam:Pass*" = "iam:PassedToService" }
"#,
        ),
        ("strict/policy.json", POLICY),
    ]);
    let ran = repo.run(&["check", "--format", "compact", "."]);
    let of = |rule: &str| -> Vec<&str> {
        let lines = ran.out.lines().filter(|l| l.contains(&format!("[{rule}]")));
        lines.filter_map(|l| l.split(':').next()).collect()
    };
    assert_eq!(of("forbidden-action"), ["policy.json"], "{}", ran.out);
    assert_eq!(
        of("required-condition-for-action"),
        ["strict/policy.json"],
        "{}",
        ran.out
    );
}

#[test]
fn a_mistake_in_an_option_is_told_with_its_place() {
    for (text, expected) in [
        (
            r"[rules.forbidden-action]
acitons = []
",
            "2:1: `forbidden-action` has no option `acitons`; did you mean `actions`?",
        ),
        (
            r"[rules.action-star]
actions = []
",
            "2:1: `action-star` has no option `actions`; it has `severity`",
        ),
        (
            r#"[rules.forbidden-action]
actions = ["iam:GetUser", "s3:PutObjekt"]
"#,
            "2:27: unknown action `s3:PutObjekt`; did you mean `s3:PutObject`?",
        ),
        (
            r#"[rules.forbidden-action]
actions = ["s3:Gett*"]
"#,
            "2:12: `s3:Gett*` matches no action",
        ),
        (
            r"[rules.forbidden-action]
actions = 3
",
            "2:11: `actions` takes a list of actions, not 3",
        ),
        (
            r"[rules.policy-too-complex]
score = -3
",
            "2:9: `score` takes a whole number, 0 or more, not -3",
        ),
        (
            r"[rules.policy-too-complex]
score = true
",
            "2:9: `score` takes a whole number, 0 or more, not boolean",
        ),
        (
            r"[rules.policy-too-complex]
score = 2027-01-01
",
            "2:9: `score` takes a whole number, 0 or more, not datetime",
        ),
        (
            r#"[rules.required-condition-for-action]
in = ["idendity"]
"#,
            "2:7: unknown value `idendity`; did you mean `identity`?",
        ),
        (
            r#"[rules.required-condition-for-action]
all-of = { "s3:*" = ["aws:PrincipalOrgIDD"] }
"#,
            "2:22: unknown global condition key `aws:PrincipalOrgIDD`; did you mean `aws:PrincipalOrgID`?",
        ),
        (
            r#"[rules.required-condition-for-action]
any-of = { "s3:*" = "org" }
"#,
            "2:21: `org` is not a condition key: use `service:key`",
        ),
        (
            r#"[rules.required-condition-for-action.any-of]
"s3:Foo" = ["aws:SourceVpce"]
"#,
            "2:1: unknown action `s3:Foo` as of ",
        ),
        (
            r#"[rules."forbidden-*"]
actions = ["s3:*"]
"#,
            "2:1: `forbidden-*` is not a single rule: only `severity` can be set",
        ),
    ] {
        let repo = Repository::new(&[("overgrant.toml", text), ("policy.json", POLICY)]);
        let ran = repo.run(&["check", "."]);
        assert_eq!(ran.code, 2, "{text}");
        let expected = format!("overgrant.toml:{expected}");
        assert!(ran.err.contains(&expected), "{text}{}", ran.err);
    }
}

#[test]
fn options_are_shown_where_rules_and_settings_are() {
    let repo = Repository::new(&[(
        "overgrant.toml",
        r"[rules.policy-too-complex]
score = 7
",
    )]);
    let explained = repo.run(&["explain", "policy-too-complex"]).out;
    assert!(
        explained.contains("score: a whole number, 0 or more (default 25)"),
        "{explained}"
    );
    let listed = repo.run(&["rules", "policy-too-complex", "--format", "json"]).out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["options"][0]["name"], "score");
    assert_eq!(listed[0]["options"][0]["default"], 25);
    let shown = repo.run(&["config", "show"]).out;
    assert!(shown.contains("rules.policy-too-complex.score = 7"), "{shown}");
    let schema: serde_json::Value = serde_json::from_str(&repo.run(&["config", "schema"]).out).unwrap();
    let score = &schema["properties"]["rules"]["properties"]["policy-too-complex"]["properties"]["score"];
    assert_eq!(score["type"], "integer");
}

#[test]
fn what_an_attached_service_control_policy_denies_is_not_granted() {
    let deny = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Keys", "Effect": "Deny",
      "Action": ["iam:CreateAccessKey", "iam:PutUserPolicy"], "Resource": "*"}]}"#;
    let role = r#"
resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iam:CreateAccessKey", Resource = "*" }] })
}
"#;
    let alone = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}]}"#;
    let mut files = vec![("scp/deny.json", deny), ("main.tf", role), ("p.json", alone)];
    let found = |files: &[(&str, &str)]| {
        let ran = Repository::new(files).run(&["check", "--format", "compact", "."]);
        ran.out.matches("[privesc-single-action]").count()
    };
    assert_eq!(found(&files), 2);
    files.push(("overgrant.toml", r#"service-control-policies = ["scp/*.json"]"#));
    assert_eq!(found(&files), 0);
}

#[test]
fn what_a_level_does_not_allow_is_not_granted() {
    let role = r#"
resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iam:CreateAccessKey", Resource = "*" }] })
}
"#;
    let allow = |actions: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": {actions}, "Resource": "*"}}]}}"#
        )
    };
    let (full, some, keys) = (allow(r#""*""#), allow(r#"["s3:*", "ec2:*"]"#), allow(r#""iam:*""#));
    let deny =
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}]}"#;
    let files = [
        ("scp/root/full.json", full.as_str()),
        ("scp/root/deny.json", deny),
        ("scp/unit/some.json", &some),
        ("scp/unit/keys.json", &keys),
        ("main.tf", role),
    ];
    let found = |patterns: &str| {
        let settings = format!("service-control-policies = {patterns}\n");
        let files: Vec<_> = files
            .into_iter()
            .chain([("overgrant.toml", settings.as_str())])
            .collect();
        let ran = Repository::new(&files).run(&["check", "--format", "compact", "."]);
        ran.out.matches("[privesc-single-action]").count()
    };
    // The key's action is allowed at every level, or some level leaves it out.
    assert_eq!(found(r#"["scp/root/*.json", "scp/unit/*.json"]"#), 1);
    assert_eq!(found(r#"["scp/root/*.json", "scp/unit/some.json"]"#), 0);
    assert_eq!(found(r#"["scp/root/*.json", "scp/unit/keys.json"]"#), 1);
    // Where only denials are listed, AWS's FullAWSAccess is there too.
    assert_eq!(found(r#"["scp/root/deny.json"]"#), 1);
}
