//! Paths in several repositories: each file has the findings that it has in its own.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::repository::{Ran, Repository};

const ROLE: &str = r#"resource "aws_iam_role" "deploy" {
  name               = "deploy"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "all" {
  role   = aws_iam_role.deploy.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "All", Effect = "Allow", Action = "*", Resource = "*" }]
  })
}
"#;

/// A function with a role that only the other repository has.
const FUNCTION: &str = r#"Resources:
  Upload:
    Type: AWS::Lambda::Function
    Properties:
      Handler: app.main
      Runtime: python3.13
      Code: ./
      Role: arn:aws:iam::111122223333:role/deploy
  Reader:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: s3:*
            Resource: "*"
"#;

const CODE: &str =
    "import boto3\n\n\ndef main(event, context):\n    boto3.client('s3').put_object(Bucket='b', Key='k')\n";

/// A folder with checkouts, which is in no repository. Of `c` it is the one of a worktree.
fn checkouts() -> Repository {
    let r = Repository::new(&[
        ("a/iam.tf", ROLE),
        ("b/template.yaml", FUNCTION),
        ("b/app.py", CODE),
        ("c/iam.tf", ROLE),
        ("c/.git", "gitdir: ../elsewhere\n"),
        ("loose/iam.tf", ROLE),
    ]);
    std::fs::remove_dir(r.path(".git")).unwrap();
    for name in ["a", "b"] {
        std::fs::create_dir(r.path(name).join(".git")).unwrap();
    }
    r
}

fn sorted(mut findings: Vec<Value>) -> Vec<String> {
    findings.sort_by_key(|f| {
        (
            f["path"].to_string(),
            f["span"]["start"]["offset"].as_u64(),
            f["rule"].to_string(),
        )
    });
    findings.iter().map(ToString::to_string).collect()
}

fn findings(r: &Repository, args: &[&str]) -> Vec<Value> {
    r.check(&[args, &["--profile", "audit"]].concat()).findings()
}

fn alone(r: &Repository, paths: &[&str]) -> Vec<String> {
    sorted(paths.iter().flat_map(|path| findings(r, &[path])).collect())
}

#[test]
fn each_path_is_analyzed_in_its_own_repository() {
    let r = checkouts();
    let apart = alone(&r, &["a", "b", "c", "loose"]);
    assert!(apart.len() > 3, "{apart:#?}");
    let order = |paths: &[&str]| -> Vec<String> { findings(&r, paths).iter().map(ToString::to_string).collect() };
    assert_eq!(order(&["a", "b", "c", "loose"]), apart);
    assert_eq!(
        order(&["loose", "c", "b", "a"]),
        apart,
        "the order of the paths changes nothing"
    );
    assert_eq!(order(&["."]), apart, "a folder of checkouts");
    assert_eq!(order(&[".", "b/template.yaml"]), apart, "one of them named again");
    let whole = order(&["--root", ".", "a", "b", "c", "loose"]);
    assert_ne!(whole, apart, "together they would be understood in another way");
    // Single files, from within one of the repositories.
    let inside = |paths: &[&str]| {
        let args = [&["check", "--format", "json", "--profile", "audit"], paths].concat();
        r.run_in("a", &args).findings()
    };
    let both = inside(&["iam.tf", "../b/app.py", "../b/template.yaml"]);
    let one = [inside(&["iam.tf"]), inside(&["../b/app.py", "../b/template.yaml"])].concat();
    assert_eq!(sorted(both), sorted(one));
}

#[test]
fn of_nested_repositories_the_nearest_counts_for_what_is_named() {
    let r = Repository::new(&[
        ("iam.tf", ROLE),
        ("sub/template.yaml", FUNCTION),
        ("sub/app.py", CODE),
        ("sub/.git", "gitdir: ../.git/modules/sub\n"),
    ]);
    let outer: Vec<String> = sorted(findings(&r, &["."]));
    let sub = sorted(findings(&r, &["sub"]));
    assert!(sub.iter().all(|f| f.contains("sub/")), "{sub:#?}");
    assert_eq!(sorted(findings(&r, &["sub/template.yaml", "sub/app.py"])), sub);
    // What is named in it is its own; the rest is a part of the outer one.
    let both = sorted(findings(&r, &[".", "sub"]));
    let own = outer.iter().filter(|f| !f.contains(r#""path":"sub/"#)).cloned();
    let expected: Vec<String> = own.chain(sub).collect();
    assert_eq!(both, expected);
    assert_eq!(r.check(&[".", "sub"]).json()["summary"]["files"]["read"], 3);
}

#[test]
fn every_format_is_one_report() {
    let r = checkouts();
    let sarif = r.run(&["check", "-f", "sarif", "a", "b"]).json();
    let uris = |sarif: &Value| -> BTreeSet<String> {
        let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
        let uri = |f: &Value| f["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
        results.map(|f| uri(f).as_str().unwrap().to_owned()).collect()
    };
    let all = uris(&sarif);
    assert!(all.contains("a/iam.tf") && all.contains("b/template.yaml"), "{all:?}");
    let from_a = r.run_in("a", &["check", "-f", "sarif", ".", "../b"]).json();
    assert_eq!(uris(&from_a), all, "paths start around all of them");
    for format in overgrant::internals::report::OutputFormat::ALL.map(|f| f.name()) {
        let ran = r.run(&["check", "-f", format, "a", "b"]);
        assert_eq!(ran.code, 1, "{format}: {}", ran.err);
        assert!(
            ran.out.contains("a/iam.tf") && ran.out.contains("b/template.yaml"),
            "{format}: {}",
            ran.out
        );
    }
    assert_eq!(r.run(&["check", "b", "loose", "--only", "s3-policy-lockout"]).code, 0);
}

#[test]
fn each_repository_has_its_own_baseline_and_settings() {
    let r = checkouts();
    let base = |name: &str| r.path(name).join(".overgrant-baseline.json").exists();
    let told = r.run(&["baseline", "create", "a", "b"]);
    assert_eq!(
        (told.code, told.out.lines().count()),
        (0, 2),
        "{}{}",
        told.out,
        told.err
    );
    assert!(base("a") && base("b") && !base("."));
    assert_eq!(r.run(&["baseline", "create", "a", "c"]).code, 2);
    assert!(!base("c"), "none is written if one cannot be");
    let ran = r.check(&["a", "b", "c"]);
    let paths: Vec<String> = (ran.findings().iter())
        .filter(|f| f["status"] == "new")
        .map(|f| f["path"].to_string())
        .collect();
    assert!(!paths.is_empty() && paths.iter().all(|p| p.contains("c/")), "{paths:?}");
    assert_eq!(r.check(&["a", "b"]).code, 0);
    assert_eq!(r.run_in("a", &["check"]).code, 0);
    r.write("a/iam.tf", b"");
    let pruned = r.run(&["baseline", "prune", "a", "b"]);
    assert!(
        pruned.out.contains("a/.overgrant-baseline.json: −"),
        "{}{}",
        pruned.out,
        pruned.err
    );
    for args in [["check", "a", "c"], ["baseline", "status", "a"]] {
        let args = [&args[..], &["b", "--baseline", "a/.overgrant-baseline.json"]].concat();
        let ran = r.run(&args);
        assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{}", ran.err);
    }
    r.write("c/overgrant.toml", b"fail-on = \"never\"\nexclude = [\"*.tf\"]\n");
    assert!(r.check(&["c"]).findings().is_empty());
    assert_eq!(r.check(&["c", "loose"]).findings(), r.check(&["loose"]).findings());
    r.write("b/overgrant.toml", b"root = \"..\"\n");
    assert_eq!(sorted(findings(&r, &["b", "c"])), alone(&r, &["b", "c"]));
}

#[test]
fn other_commands_read_several_repositories_too() {
    let r = checkouts();
    let json = |args: &[&str]| -> Value { r.run(args).json() };
    let list = |command: &str, key: &str, paths: &[&str]| -> Vec<Value> {
        json(&[&[command, "-f", "json"], paths].concat())[key]
            .as_array()
            .unwrap()
            .clone()
    };
    for (command, key) in [("policies", "policies"), ("needs", "calls"), ("files", "files")] {
        let one: Vec<Value> = ["a", "b"].iter().flat_map(|path| list(command, key, &[path])).collect();
        assert_eq!(list(command, key, &["b", "a"]), one, "{command}");
    }
    let needs = |args: &[&str]| -> Ran { r.run(&[&["needs"], args].concat()) };
    assert_eq!(needs(&["b", "c"]).out, needs(&["b"]).out);
    assert_eq!(
        needs(&["b", "c", "-f", "policy"]).out,
        needs(&["b", "-f", "policy"]).out
    );
    let line = "b/template.yaml:16";
    assert!(r.run(&["explain", line]).out.contains("template.yaml"));
    // The same finding in two repositories has one fingerprint.
    let print = |path: &str| {
        r.check(&[path]).findings()[0]["fingerprint"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(print("a"), print("c"));
    let told = r.run(&["ignore", &print("a"), "--reason", "known"]);
    assert_eq!((told.code, told.err.lines().count()), (2, 1), "{}", told.err);
    assert!(
        told.err.contains("a/iam.tf:") && told.err.contains("c/iam.tf:"),
        "{}",
        told.err
    );
    let rule = r.check(&["b/template.yaml"]).rules().remove(0);
    assert_eq!(
        r.run(&["ignore", line, "--rule", &rule, "--reason", "known"]).code,
        0,
        "{rule}"
    );
    assert!(r.read("b/template.yaml").contains("overgrant: ignore["));
}

#[test]
fn fixes_are_made_in_every_repository() {
    let r = checkouts();
    let text = FUNCTION.replace("s3:*", "[s3:GetObject, s3:GetObject]");
    r.write("a/t.yaml", text.as_bytes());
    r.write("b/template.yaml", text.as_bytes());
    let diff = r.run(&["fix", "--diff", "a", "b"]);
    assert!(
        diff.out.contains("a/t.yaml") && diff.out.contains("b/template.yaml"),
        "{}{}",
        diff.out,
        diff.err
    );
    assert_eq!(diff.code, 1);
    let fixed = r.run(&["fix", "a", "b"]);
    assert!(fixed.err.contains("in 2 files"), "{}", fixed.err);
    assert_eq!(r.run(&["fix", "--diff", "a", "b"]).code, 0);
}
