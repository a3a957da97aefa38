//! Commands that write: `ignore`, `baseline`.

use crate::support::repository::{Repository, key_pair};

const JSON: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    { "Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*" }
  ]
}
"#;

const HCL: &str = r#"resource "aws_iam_policy" "p" {
  name = "p"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "*"
      Resource = "*"
    }]
  })
}
"#;

const PYTHON: &str = r#"import json
P = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
    }],
})
import boto3
boto3.client("iam").create_policy(PolicyName="p", PolicyDocument=P)
"#;

fn managed_policy(name: &str, action: &str) -> String {
    format!(
        r#"  {name}:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: "{action}"
            Resource: "*"
"#
    )
}

fn policies_template(policies: &[String]) -> String {
    format!(
        r"Resources:
{}",
        policies.concat()
    )
}

const ONE: [&str; 3] = ["check", "--only", "admin-star-star"];

#[test]
fn ignore_writes_what_the_format_allows() {
    let heredoc = format!(
        r#"resource "aws_iam_policy" "p" {{
  name   = "p"
  policy = <<EOF
{JSON}EOF
}}
"#
    );
    let yaml = policies_template(&[managed_policy("A", "*")]);
    let cases = [
        ("t.yaml", yaml.as_str(), 9, true),
        ("main.tf", HCL, 7, true),
        ("heredoc.tf", &heredoc, 7, false),
        ("policy.json", JSON, 4, false),
        ("app.py", PYTHON, 6, true),
    ];
    for (path, text, line, comment) in cases {
        let r = Repository::new(&[(path, text)]);
        assert_eq!(r.run(&ONE).code, 1, "{path}");
        let place = format!("{path}:{line}");
        let reason = "SEC-1 \"quoted\"";
        let ran = r.run(&["ignore", &place, "--rule", "admin-star-star", "--reason", reason]);
        assert_eq!(ran.code, 0, "{path}: {}", ran.err);
        let after = r.run(&ONE);
        assert_eq!(
            after.code, 0,
            r"{path}: {}
{}{}",
            ran.out, after.out, after.err
        );
        assert_eq!(r.read(path) != text, comment, "{path}");
        assert_eq!(r.path("overgrant.toml").exists(), !comment, "{path}");
    }
}

#[test]
fn ignore_keeps_the_settings_as_they_are() {
    let toml = r#"# ours
fail-on = "medium" # soon high
"#;
    let r = Repository::new(&[("p/policy.json", JSON), ("overgrant.toml", toml)]);
    let rule = ["--rule", "admin-star-star", "--until", "2099-01-31"];
    let args = [&["ignore", "p/policy.json:4", "--reason", "SEC-1"], &rule[..]].concat();
    assert_eq!(r.run(&args).code, 0);
    let written = r.read("overgrant.toml");
    assert!(written.starts_with(toml), "{written}");
    let entry = r#"path = "p/policy.json"
sid = "All"
reason = "SEC-1"
until = 2099-01-31
"#;
    assert!(written.contains(entry), "{written}");
    let json = r.run(&["check", "--only", "admin-star-star", "-f", "json"]).json();
    assert_eq!(json["findings"][0]["suppression"]["kind"], "config");
    assert_eq!(r.run(&["ignore", "p/policy.json:1", "--reason", "x"]).code, 2);
    assert_eq!(r.run(&["ignore", "p/policy.json:4", "--reason", " "]).code, 2);
}

#[test]
fn a_baseline_survives_moves_and_catches_widening() {
    let base = policies_template(&[managed_policy("A", "*"), managed_policy("B", "iam:*")]);
    let r = Repository::new(&[("t.yaml", &base)]);
    let check = || r.run(&["check", "-f", "json"]);
    assert_eq!(check().code, 1);
    assert_eq!(r.run(&["baseline", "status"]).code, 2);
    assert_eq!(r.run(&["baseline", "create"]).code, 0);
    assert_eq!(r.run(&["baseline", "create"]).code, 2);
    let file = r.read(".overgrant-baseline.json");
    assert!(file.lines().count() > 3 && !file.contains(r#""line""#), "{file}");
    serde_json::from_str::<serde_json::Value>(&file).unwrap();
    assert_eq!((check().code, check().rules().len()), (0, 0));
    assert_eq!(r.run(&["check", "--no-baseline"]).code, 1);
    assert_eq!(r.run(&["check", "--isolated"]).code, 1);

    // Lines move, the file is renamed: known.
    r.write(
        "t.yaml",
        format!(
            r"# one
# two
{base}"
        )
        .as_bytes(),
    );
    assert_eq!(check().code, 0);
    std::fs::rename(r.path("t.yaml"), r.path("renamed.yaml")).unwrap();
    assert_eq!(check().code, 0);
    assert!(!check().with_status("moved").is_empty());
    std::fs::rename(r.path("renamed.yaml"), r.path("t.yaml")).unwrap();

    // Wider, or a copy: new.
    r.write("t.yaml", base.replace("iam:*", "*").as_bytes());
    assert_eq!(check().code, 1);
    r.write("t.yaml", format!("{base}{}", managed_policy("C", "*")).as_bytes());
    assert_eq!(check().code, 1);

    // Fixed: reported, and dropped on request.
    r.write("t.yaml", policies_template(&[managed_policy("A", "*")]).as_bytes());
    let ran = check();
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("overgrant baseline prune"), "{}", ran.err);
    assert_eq!(r.run(&["check", "--baseline-strict"]).code, 1);
    assert_eq!(r.run(&["baseline", "prune"]).code, 0);
    assert_eq!(r.run(&["check", "--baseline-strict"]).code, 0);
    let before = r.read(".overgrant-baseline.json");
    assert_eq!(r.run(&["baseline", "update"]).code, 0);
    assert_eq!(r.read(".overgrant-baseline.json"), before);
}

#[test]
fn what_was_not_looked_at_stays_known() {
    let one = |name: &str| policies_template(&[managed_policy(name, "*")]);
    let (id, secret) = key_pair();
    let env = format!(
        r"AWS_ACCESS_KEY_ID={id}
AWS_SECRET_ACCESS_KEY={secret}
"
    );
    let r = Repository::new(&[("a/t.yaml", &one("A")), ("b/t.yaml", &one("B")), (".env", &env)]);
    assert_eq!(r.run(&["baseline", "create", "--include-secrets"]).code, 0);
    let whole = r.read(".overgrant-baseline.json");
    let lines = whole.lines().count();
    for command in ["prune", "update"] {
        assert_eq!(r.run(&["baseline", command, "a"]).code, 0);
        assert_eq!(r.read(".overgrant-baseline.json"), whole, "{command} of one folder");
    }
    assert_eq!(r.run(&["baseline", "update"]).code, 0);
    assert_eq!(r.read(".overgrant-baseline.json"), whole, "a known secret stays known");
    // What only some rules, or files without the repository around them, can show is not fixed.
    for partial in [
        &["check", "--only", "credentials"][..],
        &["check", "--no-context", "a/t.yaml"],
    ] {
        let ran = r.run(&[partial, &["--baseline-strict"]].concat());
        assert_eq!(ran.code, 0, "{partial:?}: {}", ran.err);
    }
    let alone = r.run(&["check", "--no-context", "a/t.yaml"]);
    assert!(alone.out.contains("analyzed without the repository"), "{}", alone.out);
    std::fs::remove_file(r.path("b/t.yaml")).unwrap();
    let status = |path: &str| r.run(&["baseline", "status", path]).out;
    assert!(status("a").contains(" 0 fixed"), "{}", status("a"));
    assert!(!status(".").contains(" 0 fixed"), "{}", status("."));
    assert_eq!(r.run(&["baseline", "prune"]).code, 0);
    assert!(r.read(".overgrant-baseline.json").lines().count() < lines);
}

#[test]
fn a_baseline_holds_no_secret_and_another_key_is_new() {
    let (id, secret) = key_pair();
    let env = |secret: &str| {
        format!(
            r"AWS_ACCESS_KEY_ID={id}
AWS_SECRET_ACCESS_KEY={secret}
"
        )
    };
    let r = Repository::new(&[(".env", &env(&secret))]);
    assert_eq!(r.run(&["check"]).code, 1);
    let created = r.run(&["baseline", "create"]);
    assert_eq!(created.code, 0);
    assert!(created.err.contains("--include-secrets"), "{}", created.err);
    let failed = r.run(&["check"]);
    assert_eq!(failed.code, 1, "a critical secret is not known unasked");
    assert!(
        failed.err.contains("overgrant baseline update --include-secrets"),
        "{}",
        failed.err
    );
    std::fs::remove_file(r.path(".overgrant-baseline.json")).unwrap();
    assert_eq!(r.run(&["baseline", "create", "--include-secrets"]).code, 0);
    assert_eq!(r.run(&["check"]).code, 0);
    let file = r.read(".overgrant-baseline.json");
    assert!(!file.contains(&id) && !file.contains(&secret) && !file.contains(&secret[4..20]));
    r.write(".env", env(&secret.replace("kR7v", "Zt3b")).as_bytes());
    assert_eq!(r.run(&["check"]).code, 1);
}

#[test]
fn what_is_suppressed_is_not_fixed() {
    let base = policies_template(&[managed_policy("A", "*"), managed_policy("B", "iam:*")]);
    let r = Repository::new(&[("t.yaml", &base)]);
    assert_eq!(r.run(&["baseline", "create"]).code, 0);
    let whole = r.read(".overgrant-baseline.json");
    let entries = whole.lines().filter(|l| l.contains("\"fp\"")).count();
    let of_a = r.run(&["check", "-f", "json", "--no-baseline"]).findings();
    let of_a = of_a.iter().filter(|f| f["rule"] == "admin-star-star").count();
    let comment = "# overgrant: ignore[admin-star-star] -- SEC-1\n  A:";
    let exception = "[[exception]]\nrule = \"admin-star-star\"\npath = \"t.yaml\"\nreason = \"SEC-1\"\n";
    let per_file = "[per-file.\"t.yaml\"]\nignore = [\"admin-star-star\"]\n";
    for (template, settings, suppressed) in [
        (base.replacen("  A:", comment, 1), "", of_a),
        (base.clone(), exception, of_a),
        (base.clone(), per_file, 0),
        (base.clone(), "ignore = [\"admin-star-star\"]\n", 0),
    ] {
        r.write("t.yaml", template.as_bytes());
        r.write("overgrant.toml", settings.as_bytes());
        let ran = r.run(&["check", "--baseline-strict"]);
        assert!(ran.code == 0 && !ran.err.contains("fixed"), "{settings}: {}", ran.err);
        let status = r.run(&["baseline", "status"]).out;
        let known = entries - of_a;
        let suppressed = match suppressed {
            0 => String::new(),
            n => format!(", {n} suppressed"),
        };
        let expected = format!(".overgrant-baseline.json: 0 new, {known} known (0 moved), 0 fixed{suppressed}\n");
        assert_eq!(status, expected, "{settings}");
        for command in ["prune", "update"] {
            assert_eq!(r.run(&["baseline", command]).code, 0);
            assert_eq!(r.read(".overgrant-baseline.json"), whole, "{command}: {settings}");
        }
    }
    // What is suppressed from the start is not added.
    std::fs::remove_file(r.path(".overgrant-baseline.json")).unwrap();
    r.write("overgrant.toml", exception.as_bytes());
    let created = r.run(&["baseline", "create"]).out;
    assert!(created.contains(&format!(": {} finding", entries - of_a)), "{created}");
}

#[test]
fn one_fixed_finding_is_counted_in_correct_english() {
    let r = Repository::new(&[
        ("policy.json", JSON),
        ("overgrant.toml", "select = [\"admin-star-star\"]\n"),
    ]);
    assert_eq!(
        r.run(&["baseline", "create"]).out,
        ".overgrant-baseline.json: 1 finding known\n"
    );
    r.write("policy.json", JSON.replace("\"*\"", "\"s3:GetObject\"").as_bytes());
    let note = "note: 1 finding in .overgrant-baseline.json is fixed; run `overgrant baseline prune` to remove it\n";
    assert!(r.run(&["check"]).err.contains(note), "{}", r.run(&["check"]).err);
    assert_eq!(
        r.run(&["baseline", "prune"]).out,
        ".overgrant-baseline.json: −1, 0 findings known\n"
    );
}

#[test]
fn a_fix_says_what_the_baseline_keeps() {
    let twice = managed_policy("A", "s3:GetObject").replace("\"s3:GetObject\"", "[\"s3:GetObject\", \"s3:GetObject\"]");
    let template = policies_template(&[twice]);
    let r = Repository::new(&[("t.yaml", &template)]);
    let known = "note: 1 finding in .overgrant-baseline.json not fixed; --no-baseline fixes what the baseline lists\n";
    assert!(!r.run(&["fix", "--diff"]).err.contains("baseline"));
    assert_eq!(r.run(&["baseline", "create"]).code, 0);
    for args in [&["fix", "--diff"][..], &["fix"], &["check", "--fix"]] {
        let ran = r.run(args);
        assert!(ran.err.contains(known), "{args:?}: {}", ran.err);
        assert_eq!(r.read("t.yaml"), template);
    }
    assert!(!r.run(&["fix", "--quiet"]).err.contains(known));
    assert!(!r.run(&["fix", "--no-baseline"]).err.contains(known));
    assert_ne!(r.read("t.yaml"), template);
}

#[test]
fn a_place_without_a_finding_names_the_nearest() {
    let r = Repository::new(&[("main.tf", HCL)]);
    let ignore = |place: &str, rule: &str| r.run(&["ignore", place, "--rule", rule, "--reason", "SEC-1"]);
    let first = ignore("main.tf:7", "admin-star-star");
    assert_eq!(first.code, 0, "{}", first.err);
    // A line was inserted above the finding.
    let moved = r.read("main.tf").lines().position(|l| l.contains("Action")).unwrap() + 1;
    assert_eq!(moved, 8);
    let again = ignore("main.tf:8", "admin-star-star");
    let suppressed = "error: the finding at main.tf:8 is already suppressed: see main.tf:7\n";
    assert_eq!((again.code, &*again.err), (2, suppressed));
    r.write("main.tf", format!("# one\n# two\n{HCL}").as_bytes());
    let near = "error: no finding at main.tf:7; the nearest is `admin-star-star` at main.tf:9\n";
    let ran = ignore("main.tf:7", "admin-star-star");
    assert_eq!((ran.code, &*ran.err), (2, near));
    let explained = r.run(&["explain", "main.tf:2"]);
    assert!(
        explained.code == 2
            && explained
                .err
                .starts_with("error: no finding at main.tf:2; the nearest is `"),
        "{explained:?}"
    );
    r.write("main.tf", b"locals {}\n");
    assert_eq!(
        ignore("main.tf:1", "admin-star-star").err,
        "error: no finding at main.tf:1\n"
    );
}
