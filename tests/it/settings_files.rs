//! Mistakes in settings files, and what is said about them; what shells complete.

use crate::support::repository::Repository;

/// What the only line on standard error says of these settings.
fn answer(path: &str, settings: &str) -> String {
    let r = Repository::new(&[(path, settings), ("p.json", "{}")]);
    let ran = r.run(&["check"]);
    assert_eq!(ran.code, 2, "{settings}{}", ran.err);
    let err = ran.err.trim_end();
    assert_eq!(err.lines().count(), 1, "{settings}{err}");
    err.strip_prefix(&format!("error: {path}:")).unwrap().to_owned()
}

#[test]
fn users_of_other_tools_are_told_the_correct_form() {
    for (settings, expected) in [
        (
            "[lint]\nselect = [\"E\"]\n",
            "1:2: unknown key `lint` in the configuration; settings stand at the top",
        ),
        (
            "per-file-ignores = {}\n",
            "use `[per-file]` with `\"GLOB\" = { ignore = [\"RULE\"] }`",
        ),
        ("extend-ignore = []\n", "use `ignore = [\"RULE\"]`"),
        ("line-length = 100\n", "overgrant has no such setting; remove it"),
        ("output-format = \"sarif\"\n", "use the flag `--format`"),
        ("skip-check = [\"CKV_AWS_1\"]\n", "use `ignore = [\"RULE\"]`"),
        ("skip_path = [\"a\"]\n", "use `exclude = [\"GLOB\"]`"),
        ("soft-fail = true\n", "use `fail-on = \"never\"`"),
        (
            "[tool.overgrant]\nignore = []\n",
            "settings stand at the top; `[tool.overgrant]` is for pyproject.toml",
        ),
        (
            "ignore = [\"CKV_AWS_1\"]\n",
            "1:11: unknown rule `CKV_AWS_1`; checkov CKV_AWS_1 is `admin-star-star` here",
        ),
        ("ignore = \"trust,actions\"\n", "write a list: [\"trust\", \"actions\"]"),
        ("rules = [\"trust\"]\n", "to choose rules, use `select`"),
        (
            "[[per-file]]\npath = \"a\"\n",
            "expected a table, written `[per-file]` with",
        ),
        (
            "[rules.admin-star-star]\nenabled = false\n",
            "to turn the rule off, use `ignore = [\"admin-star-star\"]` at the top",
        ),
        (
            "[rules.admin-star-star]\nseverity = \"off\"\n",
            "unknown value `off`; to turn the rule off, use",
        ),
        ("exclude = [\"[\"]\n", "1:12: cannot read the pattern `[`: "),
        ("exclude = \"a/{b\"\n", "1:11: cannot read the pattern `a/{b`: "),
        ("[per-file]\n\"[a\" = {}\n", "2:1: cannot read the pattern `[a`: "),
    ] {
        let answer = answer("overgrant.toml", settings);
        assert!(answer.contains(expected), "{settings}{answer}");
    }
    let misplaced = answer("pyproject.toml", "[project]\nname = \"x\"\n[overgrant]\nignore = []\n");
    assert_eq!(
        misplaced,
        "3:2: settings stand in `[tool.overgrant]`, not in `[overgrant]`"
    );
    let misplaced = answer("pyproject.toml", "[tool.overgrant.lint]\nselect = []\n");
    assert!(misplaced.contains("without a table `lint`"), "{misplaced}");
    let r = Repository::new(&[("p.json", "{}")]);
    let ran = r.run(&["check", "--ignore", "CKV_AWS_1"]);
    assert!(
        ran.code == 2 && ran.err.contains("checkov CKV_AWS_1 is `admin-star-star` here"),
        "{}",
        ran.err
    );
    for (flag, pattern) in [
        ("--exclude", "[abc"),
        ("--include", "[abc"),
        ("--policy-kind", "[abc=scp"),
    ] {
        let ran = r.run(&["check", flag, pattern]);
        let expected =
            format!("error: {flag}: cannot read the pattern `[abc`: unclosed character class; missing ']'\n");
        assert_eq!((ran.code, ran.err), (2, expected));
    }
    assert_eq!(
        answer("overgrant.toml", "exclude = [\"[abc\"]\n"),
        "1:12: cannot read the pattern `[abc`: unclosed character class; missing ']'"
    );
    for command in ["check", "fix", "policies", "needs", "workloads", "files"] {
        let ran = r.run(&[command, "*.yml"]);
        let expected = "error: no such file or folder: *.yml; the shell did not expand this pattern: it is quoted, or matches no file\n";
        assert_eq!((ran.code, &*ran.err), (2, expected), "{command}");
    }
}

#[test]
fn patterns_that_match_nothing_are_named() {
    let settings = r#"exclude = ["old/", "gone/**", "**/cdk.out/**", "local/", "!kept", "docs/*.bin"]
service-control-policies = ["scp/*.json"]
[per-file]
"infra/**" = { ignore = ["trust"] }
"*.nothing" = { ignore = ["trust"] }
[policy-kind]
"p.json" = "identity"
"#;
    let r = Repository::new(&[
        ("overgrant.toml", settings),
        (".gitignore", "/local\n"),
        ("old/x.json", "{}"),
        ("docs/x.bin", "\0"),
        ("infra/readme.txt", "nothing"),
        ("p.json", "{}"),
    ]);
    let notes = |args: &[&str]| -> Vec<String> {
        let ran = r.run(&[&["check"], args].concat());
        let lines = ran.err.lines().filter_map(|l| l.strip_prefix("note: overgrant.toml:"));
        lines.map(str::to_owned).collect()
    };
    let all = [
        "1:20: the pattern `gone/**` of `exclude` matches no file",
        "2:29: the pattern `scp/*.json` of `service-control-policies` matches no file",
        "5:1: the pattern `*.nothing` of `per-file` matches no file",
    ];
    assert_eq!(notes(&[]), all);
    for part in [&["p.json"][..], &["infra"], &["--quiet"], &["--isolated"]] {
        assert!(notes(part).is_empty(), "{part:?}");
    }
    r.write("shared/base.toml", b"exclude = [\"in-another-repository/\"]\n");
    r.write("overgrant.toml", b"extend = \"shared/base.toml\"\n");
    assert!(notes(&[]).is_empty(), "what is extended is for several repositories");
}

#[test]
fn an_exception_whose_path_matches_no_file_is_unused() {
    let entry = |path: &str| {
        format!("[[exception]]\nrule = [\"admin-star-star\", \"trust\"]\npath = \"{path}\"\nreason = \"SEC-1\"\n\n")
    };
    let paths = [
        "p.json",
        "gone/**",
        "infra/*.yaml",
        "cdk.out/App.template.json",
        "local/x.json",
    ];
    let exceptions: String = paths.iter().map(|path| entry(path)).collect();
    let admin = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let r = Repository::new(&[
        (".gitignore", "/local\n"),
        ("p.json", admin),
        ("infra/q.json", admin),
        ("infra/readme.txt", "nothing"),
    ]);
    for (file, head) in [
        ("overgrant.toml", ""),
        ("pyproject.toml", "[project]\nname = \"x\"\n\n"),
    ] {
        let table = if head.is_empty() { "" } else { "tool.overgrant." };
        let settings = format!(
            "{head}{}",
            exceptions.replace("[[exception]]", &format!("[[{table}exception]]"))
        );
        r.write(file, settings.as_bytes());
        let unused = |args: &[&str]| -> Vec<String> {
            let ran = r.run(&[&["check", "--format", "compact"], args].concat());
            let lines = ran.out.lines().filter_map(|l| l.strip_prefix(&format!("{file}:")));
            lines.filter(|l| l.contains("no file")).map(str::to_owned).collect()
        };
        let first = head.lines().count();
        assert_eq!(
            unused(&[]),
            [
                format!(
                    "{}:8: low[unused-ignore] unused suppression: no file matches `gone/**`",
                    first + 8
                ),
                format!(
                    "{}:8: low[unused-ignore] unused suppression: no file matches `infra/*.yaml`",
                    first + 13
                ),
            ]
        );
        for part in [&["p.json"][..], &["infra"], &["--no-context"], &["--isolated"]] {
            assert!(unused(part).is_empty(), "{part:?}");
        }
        let strict = r.run(&["check", "--strict-ignores", "--select", "unused-ignore"]);
        assert_eq!(strict.code, 1, "{}", strict.out);
        std::fs::remove_file(r.path(file)).unwrap();
    }
}

#[test]
fn shells_know_values() {
    let r = Repository::new(&[]);
    let script = |shell: &str| r.run(&["completions", shell]).out;
    for (shell, expected) in [
        (
            "bash",
            &[
                "_overgrant_rules \"${cur}\"",
                "-W \"default strict audit\"",
                "-W \"low medium high critical never\"",
            ][..],
        ),
        (
            "zsh",
            &[":RULES:_overgrant_rules", "(default strict audit)", "(low medium high)"],
        ),
        (
            "fish",
            &[
                "(__fish_complete_list , __overgrant_rules)",
                "strict\\t''",
                "never\\t''",
            ],
        ),
        (
            "nushell",
            &["nu-complete overgrant rule names", "\"default\" \"strict\" \"audit\""],
        ),
    ] {
        let text = script(shell);
        for expected in expected {
            assert!(text.contains(expected), "{shell}: {expected}");
        }
        assert_eq!(text.matches("pass-role-star-by-action-wildcard").count(), 1, "{shell}");
        assert!(
            !text.contains("__overgrant_rules__") && text.len() < 150_000,
            "{shell}: {}",
            text.len()
        );
    }
}

#[test]
fn rules_that_are_not_there_are_no_green_run() {
    let r = Repository::new(&[
        ("overgrant.toml", "rule-dirs = [\"policies/nope\"]\n"),
        ("p.json", "{}"),
    ]);
    for args in [&["check"][..], &["rules"], &["config", "check", "overgrant.toml"]] {
        let ran = r.run(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.err.starts_with("error: no such folder: "), "{args:?}: {}", ran.err);
        assert!(ran.err.contains("policies/nope"), "{args:?}: {}", ran.err);
    }
}

#[test]
fn an_ignore_that_ends_in_the_past_is_refused() {
    let r = Repository::new(&[("p.json", "{}")]);
    let ran = r.run(&["ignore", "p.json:1", "--reason", "x", "--until", "2020-01-01"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("2020-01-01 is past"), "{}", ran.err);
}

/// What bash offers for the last of these words.
#[cfg(unix)]
#[test]
fn bash_completes_rules_after_commas() {
    let r = Repository::new(&[]);
    let offered = |words: &str| {
        let program = format!(
            "eval \"$('{}' completions bash)\"; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); \
             _overgrant overgrant \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[*]}}\"",
            env!("CARGO_BIN_EXE_overgrant")
        );
        let mut command = std::process::Command::new("bash");
        command.args(["--norc", "-c", &program]).current_dir(r.path(""));
        let ran = crate::support::repository::finished(command);
        assert_eq!(ran.err, "");
        ran.out.trim_end().to_owned()
    };
    assert_eq!(offered("overgrant check --profile s"), "strict");
    assert_eq!(
        offered("overgrant check --only trust,admin-star-s"),
        "trust,admin-star-star"
    );
    assert_eq!(offered("overgrant explain admin-star-s"), "admin-star-star");
    assert_eq!(offered("overgrant man comp"), "completions");
}
