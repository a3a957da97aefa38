//! The command as a user meets it.

use overgrant::internals::report::OutputFormat;
use std::collections::BTreeSet;
use std::path::Path;

use crate::support::repository::{Repository, finished, key_pair};

const BAD: &str = r#"Resources:
  Admin:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: All
            Effect: Allow
            Action: "*"
            Resource: "*"
"#;

const GOOD: &str = r#"Resources:
  Reader:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: s3:GetObject
            Resource: arn:aws:s3:::reports/*
"#;

const ONE: &[&str] = &["check", "--only", "admin-star-star"];

fn joined<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

#[test]
fn the_exit_code_is_the_same_for_every_format() {
    let bad = Repository::new(&[("bad.yaml", BAD)]);
    let good = Repository::new(&[("good.yaml", GOOD)]);
    let broken = Repository::new(&[(
        "broken.yaml",
        r"Resources:
  A:
    Type: AWS::IAM::Role
    Properties: [a, {b
",
    )]);
    for format in OutputFormat::ALL.map(OutputFormat::name) {
        assert_eq!(bad.run(&["check", "-f", format]).code, 1, "{format}");
        assert_eq!(good.run(&["check", "-f", format]).code, 0, "{format}");
        assert_eq!(broken.run(&["check", "-f", format]).code, 1, "{format}");
        assert_eq!(bad.run(&["check", "-f", format, "nowhere.yaml"]).code, 2, "{format}");
        assert_eq!(bad.run(&["check", "-f", format, "--exit-zero"]).code, 0, "{format}");
        assert_eq!(
            bad.run(&["check", "-f", format, "--fail-on", "never"]).code,
            0,
            "{format}"
        );
    }
}

#[test]
fn a_missing_path_is_one_line_with_a_hint() {
    let r = Repository::new(&[("policy.yaml", GOOD)]);
    let ran = r.run(&["check", "policy.yml"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.out, "");
    assert_eq!(
        ran.err,
        "error: no such file or folder: policy.yml; did you mean policy.yaml?\n"
    );
    assert_eq!(r.run(&["check", "far/away.json"]).err.lines().count(), 1);
}

#[test]
fn wrong_names_are_usage_errors_with_hints() {
    let r = Repository::new(&[("a.yaml", GOOD)]);
    let ran = r.run(&["check", "--select", "admin-star-sart"]);
    assert_eq!(
        (ran.code, ran.err.contains("did you mean `admin-star-star`?")),
        (2, true)
    );
    assert_eq!(r.run(&["check", "--select", "nonsense-of-mine"]).code, 2);
    assert_eq!(r.run(&["check", "--format", "jsno"]).code, 2);
    assert_eq!(r.run(&["explain", "admin-star"]).code, 2);
}

#[test]
fn severity_decides_what_fails_and_what_is_shown() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    assert_eq!(r.run(&joined(ONE, &["--fail-on", "critical"])).code, 1);
    r.write(
        "overgrant.toml",
        br#"[rules.admin-star-star]
severity = "low"
"#,
    );
    assert_eq!(r.run(ONE).code, 0);
    assert_eq!(r.run(&joined(ONE, &["--fail-on", "low"])).code, 1);
    let hidden = r.run(&joined(
        ONE,
        &["--fail-on", "low", "--min-severity", "high", "-f", "json"],
    ));
    assert_eq!((hidden.rules().len(), hidden.code), (0, 0));
}

#[test]
fn files_of_others_are_silently_passed() {
    let r = Repository::new(&[
        ("package.json", r#"{"name": "x"}"#),
        ("tsconfig.json", r#"{"compilerOptions": {}}"#),
        (".pre-commit-config.yaml", "repos: []\n"),
        ("package-lock.json", r#"{"lockfileVersion": 3}"#),
    ]);
    for args in [
        &["check"][..],
        &[
            "check",
            "package.json",
            "tsconfig.json",
            ".pre-commit-config.yaml",
            "package-lock.json",
        ],
    ] {
        let ran = r.run(args);
        assert_eq!((ran.code, ran.out.contains("error")), (0, false), "{}", ran.out);
    }
    assert_eq!(r.run(&["check", "--error-on-empty"]).code, 2);
}

#[test]
fn a_folder_without_anything_to_check_of_a_large_repository() {
    let policies: Vec<String> = (0..80).map(|n| format!("policies/{n}.yaml")).collect();
    let mut files: Vec<(&str, &str)> = policies.iter().map(|path| (path.as_str(), BAD)).collect();
    files.push(("empty/readme.txt", "nothing\n"));
    let r = Repository::new(&files);
    for path in ["empty", "empty/readme.txt"] {
        for args in [
            ["check", path],
            ["check", "--no-context"],
            ["paths", path],
            ["workloads", path],
        ] {
            let ran = r.run(&args);
            assert!(
                ran.code < 2 && !ran.err.contains("internal"),
                "{args:?}: {} {}",
                ran.out,
                ran.err
            );
        }
        assert!(r.run(&["check", path]).out.contains("Nothing to check"));
    }
}

#[test]
fn what_gitignore_hides_is_hidden_also_without_git() {
    let r = Repository::new(&[("bad.yaml", BAD), ("build/bad.yaml", BAD), (".gitignore", "build/\n")]);
    let paths = |args: &[&str]| -> Vec<String> {
        let json = r
            .run(&joined(args, &["-f", "json", "--only", "admin-star-star"]))
            .json();
        let findings = json["findings"].as_array().unwrap().clone();
        findings
            .iter()
            .map(|f| f["path"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(paths(&["check"]), ["bad.yaml"]);
    assert_eq!(paths(&["check", "--no-gitignore"]), ["bad.yaml", "build/bad.yaml"]);
    assert_eq!(paths(&["check", "build/bad.yaml", "--no-context"]), ["build/bad.yaml"]);
    assert_eq!(paths(&["check", "build"]), ["build/bad.yaml"]);
    std::fs::remove_dir(r.path(".git")).unwrap();
    assert_eq!(paths(&["check"]), ["bad.yaml"]);
}

#[test]
fn folders_of_others_are_skipped_unless_named_and_hidden_ones_are_read() {
    let r = Repository::new(&[
        ("node_modules/x/bad.yaml", BAD),
        ("cdk.out/bad.yaml", BAD),
        (".gradle/bad.yaml", BAD),
        (".hidden/bad.yaml", BAD),
        (".github/bad.yaml", BAD),
        (".bad.yaml", BAD),
    ]);
    let count = |args: &[&str]| {
        r.run(&joined(&["check", "-f", "json", "--only", "admin-star-star"], args))
            .rules()
            .len()
    };
    assert_eq!(count(&[]), 4);
    assert_eq!(count(&["cdk.out"]), 1);
    assert_eq!(count(&["node_modules"]), 1);
    assert_eq!(count(&[".bad.yaml", "--no-context"]), 1);
    let told = r.run(&["files"]).out;
    assert!(
        told.contains("node_modules: skipped, vendored or generated folder"),
        "{told}"
    );
    assert!(told.contains(".github/bad.yaml: CloudFormation"), "{told}");
}

#[test]
fn exclusions_come_from_flags_and_settings() {
    let r = Repository::new(&[("a/bad.yaml", BAD), ("b/bad.yaml", BAD)]);
    let count = |args: &[&str]| {
        r.run(&joined(&["check", "-f", "json", "--only", "admin-star-star"], args))
            .rules()
            .len()
    };
    assert_eq!(count(&["--exclude", "a/"]), 1);
    assert_eq!(count(&["--exclude", "**/bad.yaml"]), 0);
    assert_eq!(count(&["--exclude", "a/", "a/bad.yaml", "--no-context"]), 1);
    assert_eq!(
        count(&["--exclude", "a/", "--force-exclude", "a/bad.yaml", "--no-context"]),
        0
    );
    r.write("overgrant.toml", br#"exclude = ["b/"]"#);
    assert_eq!(count(&[]), 1);
    assert_eq!(count(&["--isolated"]), 2);
}

#[test]
fn an_excluded_file_that_a_linted_one_names_is_part_of_it() {
    const POLICY: &str = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let r = Repository::new(&[
        ("p/named.json", POLICY),
        ("p/other.json", POLICY),
        (
            "main.tf",
            r#"resource "aws_iam_policy" "p" {
  policy = file("p/named.json")
}
"#,
        ),
    ]);
    let told = r
        .run(&["check", "-f", "compact", "--only", "admin-star-star", "--exclude", "p/"])
        .out;
    assert!(told.contains("p/named.json:1:"), "{told}");
    assert!(!told.contains("p/other.json"), "{told}");
}

#[test]
fn standard_input_is_a_file_with_a_name() {
    let r = Repository::new(&[]);
    let ran = r.run_with_stdin(
        &joined(ONE, &["-", "--stdin-filename", "infra/t.yaml", "-f", "compact"]),
        BAD,
    );
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.starts_with("infra/t.yaml:10:21: critical[admin-star-star]"),
        "{}",
        ran.out
    );
    // A closed or empty standard input is never read unasked.
    assert_eq!(r.run(&["check"]).code, 0);
}

#[test]
fn lists_of_files_are_read_from_a_file() {
    let r = Repository::new(&[("a.yaml", BAD), ("b.yaml", BAD), ("c/c.yaml", BAD)]);
    r.write("list", b"a.yaml\nc/c.yaml\n");
    r.write("list0", b"a.yaml\0b.yaml\0");
    let base = joined(ONE, &["-f", "json", "--no-context"]);
    assert_eq!(r.run(&joined(&base, &["--files-from", "list"])).rules().len(), 2);
    assert_eq!(r.run(&joined(&base, &["--files-from", "list0"])).rules().len(), 2);
    let piped = r.run_with_stdin(&joined(&base, &["--files-from", "-"]), "b.yaml\n");
    assert_eq!(piped.rules().len(), 1);
}

#[test]
fn neighbours_are_understood_and_not_reported() {
    let r = Repository::new(&[("a.yaml", BAD), ("b.yaml", BAD)]);
    let ran = r.run(&joined(ONE, &["a.yaml", "-f", "json"]));
    let json = ran.json();
    assert_eq!(ran.rules().len(), 1);
    assert_eq!(json["findings"][0]["path"], "a.yaml");
    assert_eq!(json["summary"]["files"]["read"], 1);
}

#[test]
fn what_is_read_around_a_named_file() {
    let role = r#"resource "aws_iam_role" "r" {}"#;
    let handler = r"Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {Handler: app.handler}
";
    let policy = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let r = Repository::new(&[
        (".env", "AWS_SECRET_ACCESS_KEY=x\n"),
        ("app.py", "import boto3\n"),
        ("lib.py", "import boto3\n"),
        ("main.tf", role),
        ("more.tf", role),
        ("policy.json", policy),
        ("other.json", policy),
        (
            "uses.tf",
            r#"resource "aws_iam_policy" "p" {
  policy = file("policy.json")
}
"#,
        ),
        ("template.yaml", handler),
        ("unrelated.yaml", &handler.replace("app.", "web.")),
    ]);
    let (here, elsewhere) = (r.path(""), std::env::temp_dir().join("nobody"));
    let context = |named: &str, home: &Path| {
        let mut command = r.command(&["files", "--format", "json", named]);
        command.env("HOME", home).env("USERPROFILE", home);
        let json = finished(command).json();
        let files = json["files"].as_array().unwrap().iter();
        let context = files.filter(|f| f["context"] == true);
        context
            .map(|f| f["path"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // A repository is one analysis, and so is a folder of a project.
    assert_eq!(
        context("more.tf", &elsewhere),
        [
            "app.py",
            "lib.py",
            "main.tf",
            "other.json",
            "policy.json",
            "template.yaml",
            "unrelated.yaml",
            "uses.tf"
        ]
    );
    std::fs::remove_dir(r.path(".git")).unwrap();
    assert_eq!(context("policy.json", &elsewhere).len(), 8);
    // In a home folder, only neighbors that can take part are read.
    assert_eq!(context(".env", &here), [""; 0]);
    assert_eq!(context("more.tf", &here), ["main.tf", "uses.tf"]);
    assert_eq!(context("policy.json", &here), ["uses.tf"]);
    assert_eq!(
        context("app.py", &here),
        ["lib.py", "main.tf", "more.tf", "template.yaml", "uses.tf"]
    );
}

#[test]
fn paths_are_relative_to_the_working_directory_and_identity_to_the_root() {
    let r = Repository::new(&[("infra/bad.yaml", BAD), ("x/y", "")]);
    let finding = |folder: &str, path: &str| {
        let json = r.run_in(folder, &joined(ONE, &[path, "-f", "json"])).json();
        let f = &json["findings"][0];
        (
            f["path"].as_str().unwrap().to_owned(),
            f["fingerprint"].as_str().unwrap().to_owned(),
        )
    };
    let (top, a) = finding(".", ".");
    let (inside, b) = finding("infra", ".");
    let (beside, c) = finding("x", "../infra");
    let (whole, d) = finding(".", r.path("infra").to_str().unwrap());
    assert_eq!(
        (top.as_str(), inside.as_str(), beside.as_str()),
        ("infra/bad.yaml", "bad.yaml", "../infra/bad.yaml")
    );
    assert_eq!(whole, "infra/bad.yaml");
    assert!(a == b && b == c && c == d);
}

#[test]
fn broken_files_are_findings_with_a_place_and_their_keys_are_still_found() {
    let (id, _) = key_pair();
    let text = format!(
        r"Resources:
  A:
    Type: AWS::IAM::Role
    Key: {id}
    Properties: [a, {{b
"
    );
    let r = Repository::new(&[("broken.yaml", &text)]);
    let ran = r.run(&["check", "-f", "json"]);
    assert_eq!(ran.code, 1);
    let rules = ran.rules();
    assert!(rules.contains(&"unreadable-input".to_owned()), "{rules:?}");
    assert!(rules.contains(&"aws-access-key-id".to_owned()), "{rules:?}");
    let json = ran.json();
    assert_eq!(json["errors"][0]["path"], "broken.yaml");
    assert_eq!(json["summary"]["files"]["failed"], 1);
    // Whatever is selected.
    assert_eq!(
        r.run(&["check", "--select", "trust", "-f", "json"]).rules(),
        ["unreadable-input"]
    );
    assert_eq!(
        r.run(&["check", "--select", "trust", "--ignore", "unreadable-input"])
            .code,
        0
    );
}

#[test]
fn strange_files_do_no_harm() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    std::fs::create_dir(r.path("folder.yaml")).unwrap();
    r.write("binary.yaml", b"\x7fELF\0\0\0\xff\xfe\0");
    r.write("latin.py", b"# caf\xe9\nimport boto3\n");
    r.write("bom.yaml", format!("\u{feff}{BAD}").as_bytes());
    r.write("crlf.yaml", BAD.replace('\n', "\r\n").as_bytes());
    r.write("empty.json", b"");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(".", r.path("loop")).unwrap();
        std::os::unix::fs::symlink("nowhere", r.path("dangling.yaml")).unwrap();
    }
    let ran = r.run(&joined(ONE, &["-f", "json"]));
    let json = ran.json();
    let found: Vec<(String, u64, u64)> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["rule"] == "admin-star-star")
        .map(|f| {
            let start = &f["span"]["start"];
            let path = f["path"].as_str().unwrap().to_owned();
            (path, start["line"].as_u64().unwrap(), start["column"].as_u64().unwrap())
        })
        .collect();
    let at = |path: &str| (path.to_owned(), 10, 21);
    assert_eq!(found, [at("bad.yaml"), at("bom.yaml"), at("crlf.yaml")]);
    assert!(ran.err.contains("latin.py: not UTF-8"), "{}", ran.err);
}

#[test]
fn large_files_are_said_not_to_be_read() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    let ran = r.run(&["check", "--max-file-size", "100"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("bad.yaml") && ran.out.contains("--max-file-size"),
        "{}",
        ran.out
    );
    assert_eq!(r.run(&["check", "--max-file-size", "100", "bad.yaml"]).code, 1);
}

#[test]
fn colour_only_where_it_is_wanted() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    let esc = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = r.command(&joined(ONE, args));
        command.envs(env.iter().copied());
        finished(command).out.contains('\u{1b}')
    };
    assert!(!esc(&[], &[]));
    assert!(esc(&[], &[("FORCE_COLOR", "1")]));
    assert!(esc(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!esc(&[], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(!esc(&[], &[("FORCE_COLOR", "0")]));
    assert!(esc(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!esc(&["--color", "never"], &[("FORCE_COLOR", "1")]));
    for format in OutputFormat::ALL
        .map(OutputFormat::name)
        .iter()
        .filter(|f| !["human", "grouped"].contains(f))
    {
        assert!(!esc(&["-f", format], &[("FORCE_COLOR", "1")]), "{format}");
    }
}

#[test]
fn several_reports_in_one_run_and_nothing_else_is_written() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    let ran = r.run(&joined(
        ONE,
        &[
            "--output",
            "sarif=out.sarif",
            "--output",
            "json=out.json",
            "-f",
            "compact",
        ],
    ));
    assert_eq!(ran.out.lines().count(), 1);
    assert_eq!(r.files(), ["bad.yaml", "out.json", "out.sarif"]);
    let written: serde_json::Value = serde_json::from_str(&r.read("out.json")).unwrap();
    assert_eq!(
        written["findings"],
        r.run(&joined(ONE, &["-f", "json"])).json()["findings"]
    );
    assert_eq!(r.run(&joined(ONE, &["--output", "sarif=no/such/folder/x"])).code, 2);
}

#[test]
fn quiet_is_quiet() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    assert!(!r.run(&joined(ONE, &["-q"])).out.contains("Found"));
    let silent = r.run(&joined(ONE, &["-qq"]));
    assert_eq!((silent.code, silent.out.as_str(), silent.err.as_str()), (1, "", ""));
    let both = r.run(&joined(ONE, &["-q", "--summary"]));
    assert!(both.out.contains("Found") && both.err.is_empty(), "{}", both.err);
    let last_wins = r.run(&joined(ONE, &["--summary", "--no-summary"]));
    assert!(!last_wins.out.contains("Found"));
}

#[test]
fn runs_are_the_same_whatever_the_number_of_threads() {
    let files: Vec<(String, String)> = (0..40)
        .map(|i| {
            (
                format!("d{}/t{i}.yaml", i % 7),
                if i % 3 == 0 { GOOD } else { BAD }.to_owned(),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let r = Repository::new(&files);
    for format in ["json", "sarif", "human"] {
        let one = r.run(&["check", "-f", format, "--jobs", "1"]).out;
        let four = r.run(&["check", "-f", format, "--jobs", "4"]).out;
        let again = r.run(&["check", "-f", format, "--jobs", "4"]).out;
        assert!(one == four && four == again, "{format}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let files: Vec<(String, &str)> = (0..200).map(|i| (format!("t{i}.yaml"), BAD)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), *t)).collect();
    let r = Repository::new(&files);
    let mut command = r.command(&["check", "-f", "json"]);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn settings_have_places_and_hints() {
    let r = Repository::new(&[("a/bad.yaml", BAD)]);
    r.write(
        "overgrant.toml",
        br#"fail-on = "high"
igonre = []
"#,
    );
    let ran = r.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.err,
        "error: overgrant.toml:2:1: unknown key `igonre` in the configuration; did you mean `ignore`?\n"
    );
    r.write("overgrant.toml", br#"ignore = ["admin-star-sart"]"#);
    let ran = r.run(&["check"]);
    assert!(
        ran.code == 2 && ran.err.contains("overgrant.toml:1:11: unknown rule"),
        "{}",
        ran.err
    );
    assert_eq!(r.run(&["check", "--isolated"]).code, 1);
    assert_eq!(r.run(&["config", "check"]).code, 2);
}

#[test]
fn the_nearest_settings_govern() {
    let r = Repository::new(&[
        ("overgrant.toml", r#"fail-on = "never""#),
        ("a/bad.yaml", BAD),
        ("b/bad.yaml", BAD),
        (
            "b/pyproject.toml",
            r#"[project]
name = "x"
"#,
        ),
    ]);
    assert_eq!(r.run(&["check"]).code, 0);
    r.write(
        "b/pyproject.toml",
        br#"[tool.overgrant]
fail-on = "high"
"#,
    );
    assert_eq!(r.run(&["check"]).code, 1);
    assert_eq!(r.run(&["check", "a"]).code, 0);
    r.write("a/.overgrant.toml", br#"select = ["trust"]"#);
    assert_eq!(r.run(&["check", "a", "-f", "json"]).rules().len(), 0);
    let shown = r.run(&["config", "show", "b/bad.yaml"]).out;
    assert!(shown.contains("b/pyproject.toml:2"), "{shown}");
}

#[test]
fn per_file_settings() {
    let r = Repository::new(&[("sandbox/bad.yaml", BAD), ("live/bad.yaml", BAD)]);
    r.write(
        "overgrant.toml",
        br#"[per-file]
"sandbox/**" = { ignore = ["admin-star-star"] }
"#,
    );
    let json = r.run(&joined(ONE, &["-f", "json"])).json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    assert_eq!(json["findings"][0]["path"], "live/bad.yaml");
}

#[test]
fn rules_are_listed_and_explained_offline() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    let json: serde_json::Value = serde_json::from_str(&r.run(&["rules", "--format", "json"]).out).unwrap();
    assert!(json.as_array().unwrap().len() > 20);
    assert!(r.run(&["rules", "admin-*"]).out.contains("admin-star-star"));
    let page = r.run(&["explain", "admin-star-star"]);
    assert!(page.code == 0 && page.out.contains("Why it matters"));
    let there = r.run(&["explain", "bad.yaml:10"]).out;
    assert!(
        there.contains("admin-star-star") && there.contains("as AWS will see it"),
        "{there}"
    );
    let print = r.run(&joined(ONE, &["-f", "json"])).json()["findings"][0]["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(r.run(&["explain", &print]).out.contains("admin-star-star"));
    assert_eq!(r.run(&["explain", "bad.yaml:1"]).code, 2);
}

#[test]
fn policies_are_shown_as_aws_sees_them() {
    let text = BAD.replace(r#"Resource: "*""#, r#"Resource: !Sub "arn:aws:s3:::${Name}/*""#);
    let r = Repository::new(&[("t.yaml", &text)]);
    let json: serde_json::Value = serde_json::from_str(&r.run(&["policies", "-f", "json"]).out).unwrap();
    let p = &json["policies"][0];
    assert_eq!(p["kind"], "identity");
    assert_eq!(p["owner"]["address"], "Admin");
    assert_eq!(p["document"]["Statement"][0]["Resource"], "arn:aws:s3:::${Name}/*");
    assert_eq!(p["complete"], false);
    assert_eq!(p["unknown"][0]["name"], "Name");
    assert_eq!(p["unknown"][0]["why"], "could not be evaluated");
    assert_eq!(p["unknown"][0]["path"], "t.yaml");
    let human = r.run(&["policies"]).out;
    assert!(human.contains(r#""Action": "*""#));
    assert!(human.contains("unknown: ${Name}, could not be evaluated"), "{human}");
}

const CODE: &str = r#"import os
import boto3

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    table.put_item(Item=event)
    s3.copy_object(Bucket="out", Key="k", CopySource={"Bucket": "in", "Key": "k"})
    s3.list_objects_v2(Bucket="out")
    boto3.client("lambda").create_function(
        FunctionName="f", Code={}, Role="arn:aws:iam::111122223333:role/worker"
    )
    getattr(s3, event["op"])()
"#;

#[test]
fn what_code_calls_is_listed() {
    let r = Repository::new(&[("app.py", CODE)]);
    let ran = r.run(&["needs", "-f", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json = ran.json();
    let calls = json["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 4, "{json}");
    assert_eq!(calls[2]["operation"], "ListObjectsV2");
    assert_eq!(calls[2]["actions"]["required"][0], "s3:ListBucket");
    assert_eq!(calls[2]["resources"][0], "arn:aws:s3:::out");
    assert_eq!(calls[2]["in"], "handler");
    assert_eq!(calls[2]["span"]["start"]["line"], 11);
    let passed = &calls[3]["actions"]["conditional"];
    assert!(
        passed.as_array().unwrap().iter().any(|c| c["action"] == "iam:PassRole"
            && c["parameter"] == "Role"
            && c["passed_to"][0] == "lambda.amazonaws.com"),
        "{passed}"
    );
    assert_eq!(json["unresolved"][0]["why"], "operation chosen at run time");
    let human = r.run(&["needs"]).out;
    assert!(
        human.contains(
            r"app.py:11:5: s3 list_objects_v2 in handler
  needs s3:ListBucket
  on arn:aws:s3:::out
"
        ),
        "{human}"
    );
    assert!(
        human.ends_with("4 calls of 3 services, 6 actions, 1 place not resolved\n"),
        "{human}"
    );
}

#[test]
fn calls_tell_the_functions_that_reach_them() {
    let function = |name: &str, handler: &str| {
        format!(
            r"  {name}:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: {handler}
      CodeUri: src/
"
        )
    };
    let template = format!(
        r"Transform: AWS::Serverless-2016-10-31
Resources:
{}{}{}",
        function("Upload", "app.upload"),
        function("Again", "app.upload"),
        function("Clean", "app.clean")
    );
    let code = r#"import boto3
from store import save


def upload(event, context):
    save(event)


def clean(event, context):
    boto3.client("s3").delete_object(Bucket="b", Key="k")
    save(event)


def by_hand():
    boto3.client("s3").delete_bucket(Bucket="b")
"#;
    let store = r"import boto3


def save(item):
    boto3.client('s3').put_object(Bucket='b', Key='k', Body=item)
";
    let r = Repository::new(&[
        ("template.yaml", template.as_str()),
        ("src/app.py", code),
        ("src/store.py", store),
    ]);
    let json = r.run(&["needs", "-f", "json"]).json();
    let reached = |operation: &str| {
        let mut calls = json["calls"].as_array().unwrap().iter();
        calls.find(|c| c["operation"] == operation).unwrap()["reached_from"].to_string()
    };
    assert_eq!(reached("PutObject"), r#"["Again","Clean","Upload"]"#);
    assert_eq!(reached("DeleteObject"), r#"["Clean"]"#);
    assert_eq!(reached("DeleteBucket"), "[]");
}

#[test]
fn the_least_policy_for_code_is_one_that_we_accept() {
    let r = Repository::new(&[("app.py", CODE)]);
    let ran = r.run(&["needs", "app.py", "--format", "policy"]);
    assert!(
        ran.err.contains("1 place is left out: operation chosen at run time"),
        "{}",
        ran.err
    );
    let statements = &ran.json()["Statement"];
    let find = |action: &str| {
        let mut all = statements.as_array().unwrap().iter();
        all.find(|s| s["Action"].to_string().contains(action)).unwrap()
    };
    assert_eq!(find("dynamodb:PutItem")["Resource"], "arn:aws:dynamodb:*:*:table/*");
    assert_eq!(find("s3:GetObject")["Resource"], "arn:aws:s3:::in/k");
    assert_eq!(find("s3:PutObject")["Resource"], "arn:aws:s3:::out/k");
    let pass = find("iam:PassRole");
    assert_eq!(pass["Resource"], "arn:aws:iam::111122223333:role/worker");
    assert_eq!(
        pass["Condition"]["StringEquals"]["iam:PassedToService"],
        "lambda.amazonaws.com"
    );
    r.write("policy.json", ran.out.as_bytes());
    let checked = r.run(&["check", "policy.json", "--format", "json"]);
    // What the code does not tell is said: the table's name.
    let left: BTreeSet<String> = checked.rules().into_iter().collect();
    assert_eq!(Vec::from_iter(left), ["resource-wildcard-id-too-broad"]);
}

#[test]
fn patterns_expand_offline() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    let out = r.run(&["expand", "s3:getobject"]).out;
    assert!(out.contains("s3:GetObject") && out.contains("read"), "{out}");
    let wrong = r.run(&["expand", "iam:PasRole"]);
    assert!(
        wrong.code == 1 && wrong.out.contains("did you mean `iam:PassRole`?"),
        "{}",
        wrong.out
    );
    assert!(r.run(&["expand", "bad.yaml"]).out.starts_with("*: "));
    // Levels, resource types and condition keys; retired names say so.
    let several = r.run(&["expand", "sqs:*Message"]).out;
    assert!(
        several.contains("sqs:SendMessage") && several.contains("condition keys\n"),
        "{several}"
    );
    let retired = r.run(&["expand", "iotevents:CreateInput"]).out;
    assert!(retired.contains("retired"), "{retired}");
    let json = r.run(&["expand", "s3:GetObject", "--format", "json"]).json();
    let action = &json[0]["actions"][0];
    assert_eq!(action["levels"][0], "read");
    assert!(action["condition_keys"].as_array().unwrap().len() > 5, "{json}");
}

#[test]
fn a_policy_of_its_own_is_one_finding_whether_its_user_is_read_or_not() {
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let user = r#"resource "aws_iam_policy" "p" {
  policy = file("policies/p.json")
}
"#;
    let r = Repository::new(&[("policies/p.json", policy), ("main.tf", user)]);
    let print = |path: &str| {
        let json = r.run(&joined(ONE, &["-f", "json", path])).json();
        json["findings"][0]["fingerprint"].as_str().unwrap().to_owned()
    };
    assert_eq!(print("."), print("policies/p.json"));
    assert_eq!(print("."), print("main.tf"));
}

#[test]
fn sarif_can_describe_every_rule() {
    let r = Repository::new(&[("bad.yaml", BAD)]);
    let rules = |more: &[&str]| {
        let log = r.run(&joined(ONE, &joined(&["-f", "sarif"], more))).json();
        let run = &log["runs"][0];
        let index = run["results"][0]["ruleIndex"].as_u64().unwrap() as usize;
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules[index]["id"], "admin-star-star");
        rules.len()
    };
    assert_eq!(rules(&[]), 1);
    assert!(rules(&["--sarif-all-rules"]) > 250);
}

#[test]
fn shells_and_manuals() {
    let r = Repository::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish", "nushell"] {
        assert!(r.run(&["completions", shell]).out.contains("overgrant"), "{shell}");
    }
    assert!(r.run(&["man"]).out.contains(".TH overgrant"));
    assert!(r.run(&["man", "check"]).out.contains("fail"));
    assert!(r.run(&["--version"]).out.contains("AWS data of 20"));
    assert_eq!(r.run(&[]).code, 2);
}

#[test]
fn users_rules_run_beside_ours() {
    let rule = r#"id: acme/no-get-object
title: the lake is read through its API
severity: high
confidence: high
since: 0.1.0
why: |
  Objects are read through the API.
do: |
  Grant the API.
match:
  statement:
    effect: allow
    action: { any: { is: "s3:GetObject" }, as: act }
report:
  at: act
  label: reads objects
  message: "objects are read directly"
examples:
  bad:
    - title: one
      policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":«"s3:GetObject"»,"Resource":"*"}]}'
  good:
    - title: other
      near: true
      policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}'
"#;
    let r = Repository::new(&[
        ("good.yaml", GOOD),
        ("rules/no-get-object.yaml", rule),
        ("overgrant.toml", r#"rule-dirs = ["rules"]"#),
    ]);
    assert_eq!(
        r.run(&["check", "-f", "json", "good.yaml"]).rules(),
        ["acme/no-get-object"]
    );
    let tested = r.run(&["test-rules", "rules"]);
    assert_eq!(tested.code, 0, "{}", tested.out);
    r.write(
        "rules/no-get-object.yaml",
        rule.replace("effect: allow", "efect: allow").as_bytes(),
    );
    let ran = r.run(&["check", "-f", "json", "good.yaml"]);
    assert_eq!((ran.code, ran.rules()), (1, vec!["unreadable-input".to_owned()]));
    assert_eq!(r.run(&["test-rules", "rules"]).code, 1);
}

#[test]
fn code_that_names_no_sdk_is_read_beside_code_that_does() {
    let handler = r"from store import Store
def handler(event, context):
    return Store().load()
";
    let store = r"import clients
class Store:
    def load(self):
        return clients.s3.get_object(Bucket='b', Key='k')
";
    let files = [("app.py", handler), ("store.py", store)];
    let r = Repository::new(&files);
    let alone = r.run(&["files"]).out;
    assert!(
        alone.contains("store.py: skipped, no policies or credentials found"),
        "{alone}"
    );
    r.write("clients.py", b"import boto3\ns3 = boto3.client('s3')\n");
    let json = r.run(&["needs", "-f", "json"]).json();
    assert_eq!(json["calls"][0]["path"], "store.py", "{json}");
    assert_eq!(json["calls"][0]["in"], "Store.load");
}

#[test]
fn a_finding_says_when_it_holds_and_how_often() {
    let template = r#"Parameters: {Env: {Type: String}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: !If [IsProd, "s3:GetObject", "s3:*"], Resource: "arn:aws:s3:::b/*"}
  Q:
    Type: AWS::IAM::ManagedPolicy
    Condition: IsProd
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "sqs:*", Resource: !Sub "arn:aws:sqs:eu-west-1:${AWS::AccountId}:q"}
  R:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "sns:*", Resource: !If [IsProd, "arn:aws:sns:eu-west-1:111122223333:a", "arn:aws:sns:eu-west-1:111122223333:b"]}
"#;
    let module = r#"resource "aws_iam_policy" "p" {
  for_each = toset(["a", "b", "c"])
  policy   = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "kms:*", Resource = "arn:aws:kms:eu-west-1:111122223333:key/k" }] })
}
"#;
    let repository = Repository::new(&[("t.yaml", template), ("m.tf", module)]);
    let ran = repository.run(&["check", "--format", "json", "--only", "service-wildcard"]);
    let json = ran.json();
    let mut notes: Vec<(String, String)> = Vec::new();
    for f in json["findings"].as_array().unwrap() {
        let action = f["evidence"]["actions"][0].as_str().unwrap().to_owned();
        let said = f["notes"].as_array().unwrap().iter().filter_map(|n| n.as_str());
        let said: Vec<&str> = said.filter(|n| n.starts_with("applies")).collect();
        notes.push((action, said.join("; ")));
    }
    notes.sort();
    let expected = [
        ("kms:*", "applies to 3 instances of the resource"),
        ("s3:*", "applies unless IsProd"),
        ("sns:*", ""),
        ("sqs:*", "applies if IsProd"),
    ];
    assert_eq!(notes, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn findings_in_a_synthesized_template_name_the_construct() {
    let template = r#"{"Resources": {"PolicyA1B2": {
  "Type": "AWS::IAM::ManagedPolicy",
  "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}},
  "Metadata": {"aws:cdk:path": "Stack/Fn/Policy/Resource"}
}}}"#;
    let r = Repository::new(&[("cdk.out/Stack.template.json", template)]);
    assert_eq!(r.run(&["check", "-f", "json"]).rules(), ["admin-star-star"]);
    let out = r.run(&["check", "cdk.out/Stack.template.json"]).out;
    assert!(out.contains("made by the construct `Stack/Fn/Policy`"), "{out}");
    // By file, and by construct in it.
    let out = r
        .run(&["check", "--format", "grouped", "cdk.out/Stack.template.json"])
        .out;
    assert!(
        out.starts_with(
            r"cdk.out/Stack.template.json
  Stack/Fn/Policy
  "
        ),
        "{out}"
    );
}
