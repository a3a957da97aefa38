//! Links, pipes, and what cannot be read: bounded, and the same whether it was walked or named.
#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use crate::support::repository::{Ran, Repository};

const ADMIN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
const JSON: [&str; 5] = ["check", "-f", "json", "--only", "admin-star-star"];

fn check_admin(r: &Repository, paths: &[&str]) -> Ran {
    r.check(&[&["--only", "admin-star-star"], paths].concat())
}

fn pipe(r: &Repository, path: &str) {
    let path = r.path(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_link_out_of_the_repository_is_not_followed() {
    let outside = tempfile::TempDir::new().unwrap();
    std::fs::write(outside.path().join("p.json"), ADMIN).unwrap();
    let text = r#"resource "aws_iam_policy" "a" {
  policy = file("link.json")
}
resource "aws_iam_policy" "b" {
  policy = file("folder/p.json")
}
"#;
    let r = Repository::new(&[("main.tf", text), ("in/p.json", ADMIN)]);
    symlink(outside.path().join("p.json"), r.path("link.json")).unwrap();
    symlink(outside.path(), r.path("folder")).unwrap();
    symlink("in/p.json", r.path("inside.json")).unwrap();
    symlink("in", r.path("inner")).unwrap();
    let ran = check_admin(&r, &[]);
    assert_eq!(ran.rules().len(), 1, "{}", ran.out);
    let leads = "link to a target outside the repository: check the target itself";
    let all = ran.unjudged();
    assert_eq!(all.len(), 4, "{all:?}");
    for path in ["link.json", "folder"] {
        assert!(all.contains(&format!("{path}: {leads}")), "{all:?}");
    }
    // Named or listed, a link is what it is on a walk.
    for path in ["link.json", "folder", "folder/p.json"] {
        r.write("list", path.as_bytes());
        for args in [&[path][..], &["--files-from", "list"]] {
            let ran = check_admin(&r, &[args, &["--no-context"]].concat());
            assert_eq!((ran.code, ran.rules().len()), (0, 0), "{path}: {}", ran.out);
            assert_eq!(ran.unjudged(), [format!("{path}: {leads}")]);
        }
    }
    for path in ["inside.json", "inner/p.json", "inner"] {
        assert_eq!(check_admin(&r, &[path]).rules().len(), 1, "{path}");
    }
    // A checkout may itself be reached by a link.
    let checkouts = tempfile::TempDir::new().unwrap();
    symlink(r.path(""), checkouts.path().join("app")).unwrap();
    let mut command = r.command(&[&JSON[..], &["app"]].concat());
    command.current_dir(checkouts.path());
    let ran = crate::support::repository::finished(command);
    assert_eq!((ran.rules().len(), ran.unjudged().len()), (1, 4), "{}", ran.out);
}

#[test]
fn what_a_linted_file_names_is_found_from_anywhere() {
    let text = r#"resource "aws_iam_policy" "a" {
  policy = file("p.txt")
}
"#;
    let r = Repository::new(&[("main.tf", text), ("p.txt", ADMIN)]);
    let elsewhere = tempfile::TempDir::new().unwrap();
    for name in ["", "main.tf"] {
        let path = r.path(name);
        let mut command = r.command(&[&JSON[..], &[path.to_str().unwrap()]].concat());
        command.current_dir(elsewhere.path());
        let ran = crate::support::repository::finished(command);
        assert_eq!(ran.rules().len(), 1, "{name}: {} {}", ran.out, ran.err);
    }
}

#[test]
fn a_link_to_nothing_ends_no_run() {
    let r = Repository::new(&[("good.json", "{}")]);
    symlink("nowhere", r.path("dangling.json")).unwrap();
    symlink("round.json", r.path("round.json")).unwrap();
    assert_eq!(check_admin(&r, &["missing.json"]).code, 2);
    for path in ["dangling.json", "round.json"] {
        let ran = check_admin(&r, &[path]);
        assert_ne!(ran.code, 2, "{}", ran.err);
        assert!(
            ran.unjudged()[0].starts_with(&format!("{path}: cannot open: ")),
            "{}",
            ran.out
        );
    }
}

#[test]
fn what_cannot_be_opened_is_the_same_walked_or_named() {
    let policy = r#"resource "aws_iam_policy" "a" {}"#;
    let r = Repository::new(&[
        ("good.json", "{}"),
        ("closed/bad.json", ADMIN),
        ("p.json", ADMIN),
        ("notes.txt", "a"),
        ("main.tf", policy),
    ]);
    let set = |path: &str, mode| std::fs::set_permissions(r.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
    for path in ["closed", "p.json", "notes.txt", "main.tf"] {
        set(path, 0o000);
        // The superuser may read it all the same.
        let is_closed = std::fs::File::open(r.path(path)).and_then(|f| f.metadata()).is_err()
            || std::fs::read_dir(r.path(path)).is_err() && r.path(path).is_dir();
        if is_closed {
            let walked = check_admin(&r, &["."]);
            let named = check_admin(&r, &[path]);
            assert_eq!(walked.unjudged(), named.unjudged());
            assert_eq!(
                (named.unjudged().len(), walked.code),
                (1, named.code),
                "{path}: {}",
                named.out
            );
            let sarif = r.run(&["check", "-f", "sarif", path]).json();
            let notes = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"];
            assert_eq!(notes.as_array().unwrap().len(), 1, "{notes}");
            let human = r.run(&["check", path]);
            assert!(!human.out.contains("All clear"), "{}", human.out);
        }
        set(path, 0o755);
    }
}

#[test]
fn a_pipe_is_never_waited_for() {
    for path in [
        ".gitignore",
        "sub/.gitignore",
        ".git/info/exclude",
        "overgrant.toml",
        "pyproject.toml",
        "q.json",
        "q.tf",
        "terraform.tfvars",
        "rules/a.yaml",
        "rules/lists/a.txt",
    ] {
        let r = Repository::new(&[("p.json", ADMIN), ("sub/p.json", ADMIN)]);
        pipe(&r, path);
        if path.starts_with("rules") {
            r.write("overgrant.toml", br#"rule-dirs = ["rules"]"#);
        }
        let ran = check_admin(&r, &[]);
        assert_eq!(ran.rules().len(), 2, "{path}: {} {}", ran.out, ran.err);
        assert_eq!(r.run(&["explain", "admin-star-star"]).code, 0);
    }
    for (settings, path) in [
        (r#"extend = "base.toml""#, "base.toml"),
        (r#"baseline = "base.json""#, "base.json"),
        ("", ".overgrant-baseline.json"),
    ] {
        let r = Repository::new(&[("p.json", ADMIN), ("overgrant.toml", settings)]);
        pipe(&r, path);
        let ran = r.run(&["check"]);
        assert!(
            ran.code == 2 && ran.err.contains("not a regular file"),
            "{path}: {} {}",
            ran.code,
            ran.err
        );
        assert_eq!(r.run(&["check", "--config", path]).code, 2);
        assert_eq!(r.run(&["check", "--baseline", path]).code, 2);
    }
}

#[test]
fn settings_that_cannot_be_read_are_not_judged() {
    let r = Repository::new(&[("p.json", ADMIN)]);
    let large = format!("#{}\n", "x".repeat(5 << 20));
    for (text, why) in [(&b"# caf\xe9\n"[..], "UTF-8"), (large.as_bytes(), "larger than")] {
        r.write("overgrant.toml", text);
        let ran = check_admin(&r, &[]);
        assert_eq!(ran.rules().len(), 1);
        let all = ran.unjudged();
        assert!(
            all.len() == 1
                && all[0].starts_with("overgrant.toml: cannot read the configuration: ")
                && all[0].contains(why),
            "{all:?}"
        );
        // What is there is not lost when a suppression is written.
        let ran = r.run(&["ignore", "p.json:1", "--rule", "admin-star-star", "--reason", "known"]);
        assert_eq!(
            (ran.code, std::fs::read(r.path("overgrant.toml")).unwrap() == text),
            (2, true)
        );
    }
}

#[test]
fn endless_input_has_a_bound() {
    let r = Repository::new(&[("p.json", ADMIN)]);
    let ran = r.run(&["check", "--files-from", "/dev/zero"]);
    assert!(ran.code == 2 && ran.err.contains("--files-from"), "{}", ran.err);
    let mut command = r.command(&["check", "-", "--max-file-size", "1M", "-f", "json"]);
    command.stdin(std::fs::File::open("/dev/zero").unwrap());
    let ran = crate::support::repository::finished(command);
    assert_eq!((ran.code, ran.unjudged().len()), (1, 1), "{} {}", ran.out, ran.err);
}

#[test]
fn of_a_very_long_list_of_ignored_files_the_first_patterns_count() {
    let patterns: String = (0..100_000).map(|i| format!("build/x{i}/*.o\n")).collect();
    let r = Repository::new(&[
        ("p.json", ADMIN),
        ("q.json", ADMIN),
        (
            ".gitignore",
            &format!(
                r"q.json
{patterns}"
            ),
        ),
    ]);
    let ran = check_admin(&r, &[]);
    assert_eq!(ran.rules().len(), 1);
}

#[test]
fn an_import_follows_links_inside_the_repository() {
    let policy = r#"import json
import boto3
from MODULE import ACTION
boto3.client("iam").create_policy(PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ACTION, "Resource": "*"}]}))
"#;
    for (module, link, to) in [
        ("linked", "app/linked.py", "../lib/s.py"),
        ("linked.s", "app/linked", "../lib"),
        ("linked.s", "app/linked", "../again"),
        ("common.s", "common", "lib"),
    ] {
        let r = Repository::new(&[
            ("app/a.py", &policy.replace("MODULE", module)),
            ("lib/__init__.py", ""),
            ("lib/s.py", r#"ACTION = "*""#),
        ]);
        symlink("lib", r.path("again")).unwrap();
        symlink(to, r.path(link)).unwrap();
        symlink("..", r.path("lib/up")).unwrap();
        let ran = r.run(&["check", "--isolated", "."]);
        assert!(ran.out.contains("admin-star-star"), "{module} {link}: {}", ran.out);
    }
}

#[test]
fn the_code_of_a_function_may_be_a_link() {
    let template = crate::usage::sam(
        r"Policies:
  - Statement:
      - Effect: Allow
        Action: ['sns:Publish', 'polly:SynthesizeSpeech']
        Resource: '*'",
    );
    let code = r"import boto3
def handler(e, c):
    boto3.client('sns').publish(TopicArn='t', Message='x')
";
    let r = Repository::new(&[("template.yaml", &template), ("functions/one/app.py", code)]);
    symlink("functions/one", r.path("src")).unwrap();
    let ran = r.run(&["check", "--isolated", "."]);
    assert!(ran.out.contains("`polly:SynthesizeSpeech` is granted"), "{}", ran.out);
}
