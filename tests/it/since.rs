//! `check --since REF` and `check --staged`: what is read from Git, and what is left out.

use crate::support::git::{commit, committed, git, git_command};
use crate::support::repository::{Ran, Repository, finished, key_pair};

const ADMIN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
const SAFE: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k"}]}"#;
const ONLY: [&str; 2] = ["--only", "admin-star-star"];

fn since(r: &Repository, args: &[&str]) -> Ran {
    r.check(&[&["--since", "main"], &ONLY[..], args].concat())
}

/// Paths of the findings that are to be acted on.
fn paths(ran: &Ran) -> Vec<String> {
    let findings = ran.findings();
    let active = findings.iter().filter(|f| f["status"] == "new");
    active.map(|f| f["path"].as_str().unwrap().to_owned()).collect()
}

/// The one line of a run that could not do its work.
fn failure(ran: &Ran) -> String {
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert_eq!(ran.err.trim_end().lines().count(), 1, "{}", ran.err);
    ran.err.trim_end().strip_prefix("error: ").unwrap().to_owned()
}

#[test]
fn only_what_the_merge_base_does_not_have_is_reported() {
    let r = committed(&[("old.json", ADMIN)]);
    assert_eq!(since(&r, &[]).code, 0);
    // Untracked, and committed on a branch; what happens on `main` meanwhile is not compared.
    r.write("new.json", ADMIN.as_bytes());
    let ran = since(&r, &[]);
    assert_eq!((ran.code, paths(&ran)), (1, vec!["new.json".to_owned()]));
    git(&r, &["switch", "--quiet", "-c", "topic"]);
    commit(&r);
    git(&r, &["switch", "--quiet", "main"]);
    r.write("old.json", SAFE.as_bytes());
    r.write("new.json", ADMIN.as_bytes());
    commit(&r);
    git(&r, &["switch", "--quiet", "topic"]);
    assert_eq!(paths(&since(&r, &[])), ["new.json"]);
    let base = git(&r, &["merge-base", "main", "HEAD"]);
    let ran = since(&r, &[]);
    assert_eq!(
        ran.json()["summary"]["compared_with"],
        serde_json::json!({"reference": "main", "merge_base": base})
    );
    let human = r.run(&[&["check", "--since", "main"], &ONLY[..]].concat());
    let said = format!("Found 1 problem not in main (merge base {}) in 1 file", &base[..7]);
    assert!(human.out.contains(&said), "{}", human.out);
    // Fixed, deleted.
    std::fs::remove_file(r.path("old.json")).unwrap();
    r.write("new.json", SAFE.as_bytes());
    let human = r.run(&[&["check", "--since", "main"], &ONLY[..]].concat());
    assert_eq!(human.code, 0);
    let said = format!("compared with main (merge base {})", &base[..7]);
    assert!(
        human.out.starts_with("All clear") && human.out.contains(&said),
        "{}",
        human.out
    );
}

#[test]
fn files_that_are_moved_or_edited_keep_what_they_had() {
    let r = committed(&[("a/p.json", ADMIN), ("b.json", ADMIN), ("c.json", SAFE)]);
    git(&r, &["mv", "a/p.json", "moved.json"]);
    std::fs::create_dir(r.path("d")).unwrap();
    std::fs::rename(r.path("b.json"), r.path("d/renamed.json")).unwrap();
    assert_eq!(paths(&since(&r, &[])), [""; 0]);
    assert_eq!(paths(&since(&r, &["moved.json"])), [""; 0]);
    // Lines above and another statement next to it.
    let both = ADMIN.replace(
        "[{",
        "[\n\n{\"Sid\": \"R\", \"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"*\"}, {",
    );
    r.write("moved.json", both.as_bytes());
    assert_eq!(paths(&since(&r, &[])), [""; 0]);
    // One that was moved does not excuse two.
    r.write("second.json", ADMIN.as_bytes());
    r.write("third.json", ADMIN.as_bytes());
    assert_eq!(paths(&since(&r, &[])).len(), 2);
}

#[test]
fn equal_findings_are_counted() {
    let statement = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
    let policy = |n: usize| {
        let all = vec![statement; n].join(",\n");
        format!(r#"{{"Version": "2012-10-17", "Statement": [{all}]}}"#)
    };
    let r = committed(&[("p.json", &policy(2))]);
    let before = r.check(&ONLY).findings().len();
    assert_eq!(since(&r, &[]).findings().len(), 0);
    r.write("p.json", policy(3).as_bytes());
    let now = r.check(&ONLY).findings().len();
    assert_eq!(since(&r, &[]).findings().len(), now - before);
}

#[test]
fn a_removed_suppression_and_another_secret_are_new() {
    let (id, secret) = key_pair();
    let old = format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n");
    let ignored = "# overgrant: ignore[admin-star-star] -- SEC-1\n";
    let policy = "resource \"aws_iam_policy\" \"a\" {\n  policy = jsonencode({Version = \"2012-10-17\", Statement = [{Effect = \"Allow\", Action = \"*\", Resource = \"*\"}]})\n}\n";
    let r = committed(&[("prod.env", &old), ("main.tf", &format!("{ignored}{policy}"))]);
    let run = || r.check(&["--since", "main", "--only", "credentials,admin-star-star"]);
    assert_eq!(paths(&run()), [""; 0], "{}", run().out);
    r.write("main.tf", policy.as_bytes());
    let other: String = secret.chars().rev().collect();
    r.write("prod.env", old.replace(&secret, &other).as_bytes());
    let ran = run();
    let mut changed = paths(&ran);
    changed.dedup();
    assert_eq!(changed, ["main.tf", "prod.env"]);
    assert!(!ran.out.contains(&other));
}

#[test]
fn the_index_is_what_is_checked() {
    let r = committed(&[("p.json", ADMIN), ("q.json", SAFE)]);
    // Fixed on disk and not staged; broken on disk and not staged.
    r.write("p.json", SAFE.as_bytes());
    r.write("q.json", ADMIN.as_bytes());
    r.write("untracked.json", ADMIN.as_bytes());
    let staged = |args: &[&str]| r.check(&[&["--staged"], &ONLY[..], args].concat());
    let ran = staged(&[]);
    assert_eq!(paths(&ran), ["p.json"]);
    assert_eq!(ran.json()["summary"]["staged"], true);
    git(&r, &["add", "p.json", "q.json"]);
    assert_eq!(paths(&staged(&[])), ["q.json"]);
    r.write("q.json", SAFE.as_bytes());
    assert_eq!(paths(&staged(&["--since", "HEAD"])), ["q.json"]);
    assert_eq!(paths(&since(&r, &[])), ["untracked.json"]);
    // A file that is gone from disk is still in the index.
    std::fs::remove_file(r.path("q.json")).unwrap();
    assert_eq!(paths(&staged(&["q.json"])), ["q.json"]);
    let said = failure(&staged(&["untracked.json"]));
    assert_eq!(said, "no such file or folder in the index: untracked.json");
    // A folder in which nothing is tracked.
    r.write("empty/x.json", ADMIN.as_bytes());
    assert_eq!(paths(&staged(&["empty"])), [""; 0]);
    let refused = r.run(&["check", "--staged", "--fix"]);
    assert_eq!(
        failure(&refused),
        "--fix cannot be used with --staged: the index is not written"
    );
    let human = r.run(&[&["check", "--staged"], &ONLY[..]].concat());
    assert!(human.out.contains("from the index (--staged)"), "{}", human.out);
}

#[test]
fn the_index_of_a_commit_that_names_its_files_is_used() {
    let r = committed(&[("p.json", SAFE), ("q.json", SAFE)]);
    let hook = r.path(".git/hooks/pre-commit");
    let binary = env!("CARGO_BIN_EXE_overgrant");
    std::fs::create_dir_all(r.path(".git/hooks")).unwrap();
    std::fs::write(
        &hook,
        format!("#!/bin/sh\nexec '{binary}' check --staged --only admin-star-star -f compact\n"),
    )
    .unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    r.write("p.json", ADMIN.as_bytes());
    r.write("q.json", ADMIN.as_bytes());
    for (args, found) in [
        (&["commit", "-a", "-m", "x"][..], 2),
        (&["commit", "-m", "x", "q.json"], 1),
    ] {
        let ran = finished(git_command(&r, args));
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(said.matches("[admin-star-star]").count(), found, "{said}");
    }
    // In a linked work tree `.git` is a file, and the hook is told where all is.
    git(&r, &["worktree", "add", "--quiet", "linked"]);
    std::fs::write(r.path("linked/p.json"), ADMIN).unwrap();
    let mut inside = git_command(&r, &["commit", "-a", "-m", "x"]);
    inside.current_dir(r.path("linked"));
    let ran = finished(inside);
    assert_eq!(
        (
            ran.code,
            format!("{}{}", ran.out, ran.err).matches("[admin-star-star]").count()
        ),
        (1, 1)
    );
    let ran = r.run_in(
        "linked",
        &[&["check", "-f", "json", "--since", "HEAD"], &ONLY[..]].concat(),
    );
    assert_eq!(paths(&ran), ["p.json"]);
}

#[test]
fn a_caller_that_changed_makes_a_finding_of_its_module_new() {
    let module = r#"variable "actions" { type = list(string) }
resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = var.actions, Resource = "*" }]
  })
}
"#;
    let caller = |action: &str| format!("module \"m\" {{\n  source = \"./m\"\n  actions = [\"{action}\"]\n}}\n");
    let r = committed(&[("m/main.tf", module), ("main.tf", &caller("s3:GetObject"))]);
    assert_eq!(since(&r, &[]).findings().len(), 0);
    r.write("main.tf", caller("*").as_bytes());
    assert_eq!(since(&r, &[]).findings().len(), 1);
    assert_eq!(since(&r, &["m"]).findings().len(), 1);
    git(&r, &["add", "main.tf"]);
    r.write("main.tf", caller("s3:GetObject").as_bytes());
    assert_eq!(since(&r, &["--staged"]).findings().len(), 1);
    assert_eq!(since(&r, &[]).findings().len(), 0);
}

#[test]
fn paths_say_what_is_reported_from_any_folder() {
    let r = committed(&[("a/old.json", ADMIN), ("b/old.json", SAFE)]);
    r.write("a/new.json", ADMIN.as_bytes());
    r.write("b/new.json", ADMIN.as_bytes());
    assert_eq!(paths(&since(&r, &["a"])), ["a/new.json"]);
    assert_eq!(paths(&since(&r, &["b/new.json", "a/old.json"])), ["b/new.json"]);
    let args = [&["check", "-f", "json", "--since", "main"], &ONLY[..]].concat();
    assert_eq!(paths(&r.run_in("a", &args)), ["new.json"]);
    assert_eq!(
        paths(&r.run_in("a", &[&args[..], &["../b"]].concat())),
        ["../b/new.json"]
    );
    assert_eq!(paths(&since(&r, &["--no-context", "a"])), ["a/new.json"]);
    let ran = r.run_with_stdin(&[&args[..], &["--files-from", "-"]].concat(), "b/new.json\n");
    assert_eq!(paths(&ran), ["b/new.json"]);
    let ran = r.run_with_stdin(&[&args[..], &["--files-from", "-"]].concat(), "");
    assert_eq!(paths(&ran), [""; 0]);
}

#[test]
fn ignored_links_and_submodules_are_alike_on_both_sides() {
    let r = committed(&[("in/p.json", ADMIN), (".gitignore", "build/\n")]);
    r.write("build/p.json", ADMIN.as_bytes());
    git(&r, &["add", "--force", "build/p.json"]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("in", r.path("link")).unwrap();
    let other = committed(&[("sub.json", ADMIN)]);
    let from = other.path("");
    let from = from.to_str().unwrap();
    git(
        &r,
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            from,
            "vendor-sub",
        ],
    );
    commit(&r);
    let all = r.check(&[&["--staged"], &ONLY[..]].concat());
    assert_eq!(paths(&all), ["in/p.json"]);
    assert_eq!(paths(&since(&r, &[])), [""; 0]);
    #[cfg(unix)]
    for path in ["link", "link/p.json"] {
        let ran = r.check(&[&["--staged", path], &ONLY[..]].concat());
        assert_eq!(ran.findings().len(), 1, "{path}: {}", ran.out);
    }
    // A submodule is a repository of its own.
    std::fs::write(r.path("vendor-sub/new.json"), ADMIN).unwrap();
    assert_eq!(paths(&since(&r, &[])), [""; 0]);
    let args = [&["check", "-f", "json", "--since", "HEAD"], &ONLY[..]].concat();
    assert_eq!(paths(&r.run_in("vendor-sub", &args)), ["new.json"]);
    let said = failure(&since(&r, &["in", "vendor-sub"]));
    assert!(said.starts_with("the paths are in several repositories ("), "{said}");
}

#[test]
fn the_settings_and_the_baseline_of_the_new_side_hold() {
    let r = committed(&[("p.json", ADMIN), ("overgrant.toml", "select = [\"credentials\"]\n")]);
    // A rule that is switched on makes nothing new.
    r.write("overgrant.toml", b"select = [\"admin-star-star\"]\n");
    let run = |args: &[&str]| r.check(&[&["--since", "main"], args].concat());
    assert_eq!(paths(&run(&[])), [""; 0]);
    r.write("new.json", ADMIN.as_bytes());
    assert_eq!(paths(&run(&[])), ["new.json"]);
    // Staged settings count for the index.
    assert_eq!(paths(&r.check(&["--staged"])), [""; 0]);
    git(&r, &["add", "overgrant.toml"]);
    assert_eq!(paths(&r.check(&["--staged"])), ["p.json"]);
    assert_eq!(r.run(&["baseline", "create"]).code, 0);
    let ran = run(&[]);
    assert_eq!((ran.code, ran.with_status("baselined").len()), (0, 1), "{}", ran.out);
    assert_eq!(run(&["--no-baseline"]).code, 1);
    let exceptions = "[[exception]]\nrule = \"admin-star-star\"\npath = \"p.json\"\nreason = \"x\"\n";
    r.write(
        "overgrant.toml",
        format!("select = [\"admin-star-star\"]\n{exceptions}").as_bytes(),
    );
    assert_eq!(paths(&run(&["--no-baseline"])), ["new.json"]);
}

#[test]
fn every_format_and_fix_have_the_new_findings_only() {
    let key = |s: &str| {
        format!(
            "resource \"aws_iam_policy\" \"{s}\" {{\n  policy = jsonencode({{Version = \"2012-10-17\", Statement = [{{Effect = \"Allow\", Action = [\"s3:GetObject\", \"s3:GetObject\"], Resource = \"arn:aws:s3:::b/{s}\"}}]}})\n}}\n"
        )
    };
    let r = committed(&[("old.tf", &key("a"))]);
    r.write("new.tf", key("b").as_bytes());
    let rule = ["--since", "main"];
    let all = r.check(&[]).findings().len();
    let new = r.check(&rule).findings().len();
    assert!(new > 0 && new < all, "{new} of {all}");
    let sarif = r.run(&[&["check", "-f", "sarif"], &rule[..]].concat());
    assert_eq!(sarif.json()["runs"][0]["results"].as_array().unwrap().len(), new);
    let lines = r.run(&[&["check", "-f", "jsonl"], &rule[..]].concat());
    assert_eq!(lines.out.lines().count(), new + 1);
    let before = r.read("old.tf");
    r.run(&[&["fix"], &rule[..]].concat());
    assert_eq!(r.read("old.tf"), before);
    assert_ne!(r.read("new.tf"), key("b"));
    assert_eq!(r.check(&rule).findings().len(), 0);
}

#[test]
fn what_cannot_be_compared_is_one_line() {
    let bare = Repository::new(&[]);
    std::fs::remove_dir(bare.path(".git")).unwrap();
    let mut command = bare.command(&["check", "--staged"]);
    // Nothing above the temporary folder counts.
    command.env("GIT_CEILING_DIRECTORIES", bare.path("").parent().unwrap());
    let said = failure(&finished(command));
    assert!(said.starts_with("not in a git repository: "), "{said}");
    git(&bare, &["init", "--quiet", "--bare", "-b", "main", "."]);
    let said = failure(&bare.run(&["check", "--staged"]));
    assert!(
        said.ends_with("is a bare repository: --since and --staged need a work tree"),
        "{said}"
    );

    let r = Repository::new(&[("p.json", SAFE)]);
    git(&r, &["init", "--quiet", "-b", "main"]);
    let said = failure(&since(&r, &[]));
    assert_eq!(
        said,
        "the repository has no commit yet: there is nothing to compare with"
    );
    assert_eq!(r.check(&["--staged"]).code, 0);
    commit(&r);
    git(&r, &["branch", "release"]);
    git(&r, &["update-ref", "refs/remotes/upstream/develop", "HEAD"]);
    for (reference, said) in [
        ("relaese", "unknown revision `relaese`; did you mean `release`?"),
        (
            "develop",
            "unknown revision `develop`; did you mean `upstream/develop`?",
        ),
        ("0123abcd", "unknown revision `0123abcd`"),
        ("HEAD:p.json", "unknown revision `HEAD:p.json`"),
        ("main..release", "unknown revision `main..release`"),
        ("", "unknown revision ``"),
        (
            "--output=x",
            "`--output=x` is not a revision: one does not begin with `-`",
        ),
    ] {
        assert_eq!(failure(&r.run(&["check", "--since", reference])), said);
    }
    let mut command = r.command(&["check", "--staged"]);
    command.env("PATH", "");
    let said = failure(&finished(command));
    assert_eq!(
        said,
        "git is not installed, or not on the PATH: --since and --staged need it"
    );
    let ran = r.run_with_stdin(&["check", "--since", "main", "-"], ADMIN);
    let said = "--since and --staged compare files of a repository: standard input is not one";
    assert_eq!(failure(&ran), said);
    assert!(failure(&since(&r, &["--root", ".."])).starts_with("the root is not in the repository "));

    git(&r, &["switch", "--quiet", "--orphan", "other"]);
    git(&r, &["commit", "--quiet", "--allow-empty", "-m", "x"]);
    assert_eq!(failure(&since(&r, &[])), "`main` and HEAD have no common commit");
}

#[test]
fn conflicts_and_missing_history_are_one_line() {
    let r = committed(&[("p.json", SAFE)]);
    git(&r, &["switch", "--quiet", "-c", "topic"]);
    r.write("p.json", ADMIN.as_bytes());
    commit(&r);
    git(&r, &["switch", "--quiet", "main"]);
    r.write("p.json", b"{}");
    commit(&r);
    let clone = Repository::new(&[]);
    std::fs::remove_dir(clone.path(".git")).unwrap();
    let from = format!("file://{}", r.path("").display());
    let args = [
        "clone",
        "--quiet",
        "--depth",
        "1",
        "--no-single-branch",
        &from,
        "shallow",
    ];
    git(&clone, &args);
    let history = "; the clone is shallow or partial: fetch more history, for example with `fetch-depth: 0`";
    let ran = clone.run_in("shallow", &["check", "--since", "origin/topic"]);
    assert_eq!(
        failure(&ran),
        format!("`origin/topic` and HEAD have no common commit{history}")
    );
    let ran = clone.run_in("shallow", &["check", "--since", "v1"]);
    assert_eq!(failure(&ran), format!("unknown revision `v1`{history}"));
    // An object that is not here, as in a partial clone.
    let id = git(&r, &["rev-parse", "topic:p.json"]);
    std::fs::remove_file(r.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    git(&r, &["switch", "--quiet", "--orphan", "other"]);
    git(&r, &["reset", "--quiet", "topic"]);
    let said = failure(&r.run(&["check", "--since", "topic"]));
    assert_eq!(said, format!("an object of the repository is missing here{history}"));
    git(&r, &["read-tree", "--empty"]);
    for stage in 1..=3 {
        let other = git(&r, &["rev-parse", "main:p.json"]);
        let line = format!("100644 {other} {stage}\tp.json\n");
        let mut child = git_command(&r, &["update-index", "--index-info"]);
        let mut child = child.stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), line.as_bytes()).unwrap();
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
    let said = failure(&r.run(&["check", "--staged"]));
    assert_eq!(
        said,
        "p.json has merge conflicts in the index: resolve and stage it first"
    );
}

#[test]
fn many_and_large_files_are_read_from_one_process() {
    let texts: Vec<(String, String)> = (0..3000)
        .map(|i| {
            (
                format!("d{}/p{i}.json", i % 7),
                SAFE.replace("/k", &format!("/{i}/{}", "k".repeat(40))),
            )
        })
        .collect();
    let mut files: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let large = format!("{}{ADMIN}", " ".repeat(200_000));
    files.push(("large.json", &large));
    let r = committed(&files);
    let ran = r.check(&["--staged", "--max-file-size", "100K"]);
    assert_eq!(
        ran.json()["summary"]["files"]["read"],
        r.check(&["--max-file-size", "100K"]).json()["summary"]["files"]["read"]
    );
    assert_eq!(ran.findings(), r.check(&["--max-file-size", "100K"]).findings());
    assert_eq!(r.check(&["--since", "HEAD"]).findings().len(), 0);
}
