//! The GitHub Action and the GitLab component: their files agree with the crate, and the script of the Action does what it says.

use std::path::PathBuf;

use serde_yaml::Value;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn file(path: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_action_is_pinned_and_expands_nothing_in_a_shell() {
    let action: Value = serde_yaml::from_str(&file("action.yml")).unwrap();
    assert_eq!(action["inputs"]["version"]["default"], VERSION);
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        if let Some(run) = step["run"].as_str() {
            assert!(!run.contains("${{") && run.contains("packaging/action/run.sh"), "{run}");
        }
        if let Some(uses) = step["uses"].as_str() {
            let (_, commit) = uses.split_once('@').unwrap();
            assert!(
                commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()),
                "{uses}"
            );
        }
    }
}

#[test]
fn the_component_installs_this_version() {
    let text = file("packaging/gitlab/templates/overgrant/template.yml");
    let (head, job) = text.split_once("\n---\n").unwrap();
    let head: Value = serde_yaml::from_str(head).unwrap();
    assert_eq!(head["spec"]["inputs"]["version"]["default"], VERSION);
    let job: Value = serde_yaml::from_str(job).unwrap();
    let report = job["overgrant"]["artifacts"]["reports"]["codequality"]
        .as_str()
        .unwrap();
    assert!(
        job["overgrant"]["script"][1]
            .as_str()
            .unwrap()
            .contains(&format!("--output gitlab={report}"))
    );
    let readme = file("packaging/gitlab/README.md");
    assert!(
        readme.contains(&format!("overgrant@{VERSION}")) && readme.contains(&format!("/v{VERSION}/packaging/gitlab"))
    );
}

#[cfg(unix)]
mod script {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use crate::support::repository::{Ran, Repository, finished};

    const POLICY: &str =
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    const FINE: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/x"}]}"#;

    /// Writes its arguments to a file, then runs `then`.
    fn fake(r: &Repository, name: &str, then: &str) {
        let path = format!("out/bin/{name}");
        let log = r.path(&format!("out/{name}.txt"));
        let text = format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{}'\n{then}\n", log.display());
        r.write(&path, text.as_bytes());
        std::fs::set_permissions(r.path(&path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// One step of the Action on Linux, in `repo`, with variables in addition.
    fn step(r: &Repository, name: &str, variables: &[(&str, &str)]) -> Ran {
        let built = PathBuf::from(env!("CARGO_BIN_EXE_overgrant"));
        let path = format!(
            "{}:{}:{}",
            r.path("out/bin").display(),
            built.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let out = |name: &str| r.path(&format!("out/{name}"));
        std::fs::create_dir_all(out("temp")).unwrap();
        let mut head = Command::new("git");
        head.args(["rev-parse", "HEAD"]).current_dir(r.path("repo"));
        let head = finished(head).out;
        let mut command = Command::new("bash");
        command
            .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("packaging/action/run.sh"))
            .arg(name)
            .current_dir(r.path("repo"))
            .stdin(Stdio::null())
            .env("PATH", path)
            .env("RUNNER_TEMP", out("temp"))
            .env("GITHUB_OUTPUT", out("output"))
            .env("GITHUB_PATH", out("path"))
            .env("GITHUB_STEP_SUMMARY", out("summary"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "push")
            .env("GITHUB_REF", "refs/heads/main")
            .env("GITHUB_SHA", head.trim())
            .env("GITHUB_REPOSITORY", "acme/app")
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_RUN_ID", "7")
            .env("OVERGRANT_VERSION", "installed")
            .env("OVERGRANT_PATHS", ".")
            .env("OVERGRANT_ARGS", "")
            .env("OVERGRANT_FAIL_ON", "")
            .env("OVERGRANT_SINCE", "")
            .env("OVERGRANT_WORKING_DIRECTORY", ".");
        for name in ["GITHUB_BASE_REF", "OVERGRANT_FORMAT", "NO_COLOR"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        finished(command)
    }

    fn git(r: &Repository, args: &[&str]) {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(args);
        command
            .current_dir(r.path("repo"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let ran = finished(command);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }

    /// A repository whose `main` has one finding, and the merge commit of a pull request that adds `file`.
    fn pull_request(file: &str, text: &str) -> Repository {
        let r = Repository::new(&[("repo/old.json", POLICY)]);
        git(&r, &["init", "-q", "-b", "main"]);
        git(&r, &["add", "."]);
        git(&r, &["commit", "-qm", "base"]);
        git(&r, &["checkout", "-qb", "change"]);
        r.write(&format!("repo/{file}"), text.as_bytes());
        git(&r, &["add", "."]);
        git(&r, &["commit", "-qm", "change"]);
        git(&r, &["checkout", "-q", "main"]);
        git(&r, &["merge", "-q", "--no-ff", "-m", "merge", "change"]);
        r
    }

    const PULL: [(&str, &str); 3] = [
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_REF", "refs/pull/12/merge"),
        ("GITHUB_BASE_REF", "main"),
    ];

    #[test]
    fn a_push_gives_sarif_a_summary_and_the_exit_code() {
        let r = Repository::new(&[("repo/a b.json", POLICY), ("repo/x.txt", "$(touch pwned)")]);
        let args = (
            "OVERGRANT_ARGS",
            "--profile strict\n  --no-source $(touch${IFS}pwned) *",
        );
        let refused = step(&r, "check", &[args]);
        assert_eq!(
            refused.code, 2,
            "neither commands nor patterns are expanded: {}",
            refused.out
        );
        let ran = step(&r, "check", &[("OVERGRANT_ARGS", "--profile strict\n --no-source")]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            ran.out.contains("::error") && ran.out.contains("admin-star-star"),
            "{}",
            ran.out
        );
        let output = r.read("out/output");
        let sarif = output.lines().find_map(|l| l.strip_prefix("sarif=")).unwrap();
        assert!(std::fs::read_to_string(sarif).unwrap().contains("admin-star-star"));
        assert!(output.contains("exit-code=1\n"), "{output}");
        assert!(r.read("out/summary").contains("admin-star-star"));
        assert_eq!(step(&r, "finish", &[("OVERGRANT_EXIT_CODE", "1")]).code, 1);
        assert_eq!(step(&r, "finish", &[("OVERGRANT_EXIT_CODE", "0")]).code, 0);
        fake(&r, "gh", "exit 1");
        assert_eq!(step(&r, "comment", &[]).code, 0);
        assert!(
            !r.files().iter().any(|f| f.contains("pwned") || f == "out/gh.txt"),
            "{:?}",
            r.files()
        );
    }

    #[test]
    fn a_pull_request_gets_one_comment_about_what_is_new() {
        let r = pull_request("new.json", POLICY);
        let ran = step(&r, "check", &PULL);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let new = r.read("out/temp/overgrant/new.md");
        assert!(new.contains("new.json:1") && !new.contains("old.json"), "{new}");
        assert!(r.read("out/summary").starts_with("## New findings\n"));

        fake(&r, "gh", "");
        assert_eq!(step(&r, "comment", &PULL).code, 0);
        let calls = r.read("out/gh.txt");
        let last = calls.lines().last().unwrap();
        assert!(
            last.starts_with("api --method POST repos/acme/app/issues/12/comments --silent --field body=@"),
            "{calls}"
        );
        let body = r.read("out/temp/overgrant/comment.txt");
        assert!(
            body.starts_with("<!-- overgrant -->\n") && body.contains("new.json:1"),
            "{body}"
        );
        assert!(
            body.ends_with("[All findings](https://github.com/acme/app/actions/runs/7)\n"),
            "{body}"
        );

        fake(&r, "gh", "case \"$*\" in *--paginate*) printf '41\\n42\\n';; esac");
        assert_eq!(step(&r, "comment", &PULL).code, 0);
        let calls = r.read("out/gh.txt");
        assert!(
            calls
                .lines()
                .last()
                .unwrap()
                .starts_with("api --method PATCH repos/acme/app/issues/comments/41 "),
            "{calls}"
        );

        fake(&r, "gh", "exit 1");
        let refused = step(&r, "comment", &PULL);
        assert!(
            refused.code == 0 && refused.out.contains("pull-requests: write"),
            "{}",
            refused.out
        );
    }

    #[test]
    fn a_pull_request_without_new_findings_gets_none() {
        let r = pull_request("fine.json", FINE);
        assert_eq!(step(&r, "check", &PULL).code, 0);
        assert!(
            r.read("out/output").contains("exit-code=1\n"),
            "what the base has counts unless `since` is set"
        );
        fake(&r, "gh", "");
        assert_eq!(step(&r, "comment", &PULL).code, 0);
        assert_eq!(r.read("out/gh.txt").lines().count(), 1, "only the list is read");
        assert_eq!(step(&r, "check", &[("OVERGRANT_SINCE", "HEAD^1")]).code, 0);
        assert!(r.read("out/output").ends_with("exit-code=0\n"));
        assert_eq!(step(&r, "check", &[("OVERGRANT_SINCE", "missing")]).code, 2);
    }

    #[test]
    fn a_merge_in_the_branch_is_not_taken_for_that_of_the_pull_request() {
        let r = pull_request("new.json", POLICY);
        // As with `ref: ${{ github.event.pull_request.head.sha }}`: HEAD has two parents, and GITHUB_SHA is another commit.
        let other = ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567");
        let variables: Vec<_> = PULL.iter().copied().chain([other]).collect();
        let ran = step(&r, "check", &variables);
        assert!(ran.code == 0 && ran.out.contains("fetch-depth"), "{}", ran.out);
        assert!(!r.path("out/temp/overgrant/new.md").exists());
        git(&r, &["update-ref", "refs/remotes/origin/main", "HEAD^1"]);
        assert_eq!(step(&r, "check", &variables).code, 0);
        let new = r.read("out/temp/overgrant/new.md");
        assert!(new.contains("new.json:1") && !new.contains("old.json"), "{new}");
    }

    /// A `curl` that gives `out/archive`, and for the checksums one line.
    fn serve(r: &Repository, sum: &str) {
        let then = format!(
            "while [ $# -gt 1 ]; do [ \"$1\" = --output ] && out=$2; shift; done\n\
             case \"$out\" in */SHA256SUMS) echo '{sum}  '\"$ASSET\" > \"$out\";; *) cp '{}' \"$out\";; esac",
            r.path("out/archive").display()
        );
        fake(r, "curl", &then);
    }

    fn sha256(bytes: &[u8]) -> String {
        use sha2::Digest as _;
        sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn windows_gets_its_archive_whatever_the_slashes() {
        let r = Repository::new(&[("repo/x", ""), ("out/archive", "zip")]);
        fake(
            &r,
            "uname",
            "case $1 in -m) echo aarch64;; *) echo MINGW64_NT-10.0-26100-ARM64;; esac",
        );
        fake(
            &r,
            "cygpath",
            "case $1 in -m) printf '%s\\n' \"$2\" | tr '\\\\' /;; *) printf '%s\\n' \"$2\" | tr / '\\\\';; esac",
        );
        fake(&r, "unzip", "");
        let archive = "overgrant-x86_64-pc-windows-msvc.zip";
        let temp = format!("{}\\temp", r.path("out").display());
        serve(&r, &sha256(b"zip"));
        let variables = [
            ("OVERGRANT_VERSION", super::VERSION),
            ("ASSET", archive),
            ("RUNNER_TEMP", temp.as_str()),
        ];
        let ran = step(&r, "install", &variables);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let folder = r.path("out/temp/overgrant").join(super::VERSION).display().to_string();
        let unzipped = format!("-q -o {folder}/{archive} -d {folder}\n");
        assert_eq!(r.read("out/unzip.txt"), unzipped);
        assert_eq!(r.read("out/path"), format!("{}\n", folder.replace('/', "\\")));
    }

    #[test]
    fn a_download_counts_only_with_its_checksum() {
        let r = Repository::new(&[("repo/x", "")]);
        r.write("out/overgrant", b"#!/bin/sh\necho built\n");
        let mut tar = Command::new("tar");
        tar.arg("-czf")
            .arg(r.path("out/archive"))
            .arg("-C")
            .arg(r.path("out"))
            .arg("overgrant");
        assert_eq!(finished(tar).code, 0);
        fake(&r, "uname", "case $1 in -m) echo x86_64;; *) echo Linux;; esac");
        let archive = "overgrant-x86_64-unknown-linux-musl.tar.gz";
        let variables = [("OVERGRANT_VERSION", super::VERSION), ("ASSET", archive)];
        serve(&r, &"0".repeat(64));
        let refused = step(&r, "install", &variables);
        assert!(refused.code == 2 && refused.out.contains("checksum"), "{}", refused.out);
        assert!(!r.path("out/path").exists());
        serve(&r, &sha256(&std::fs::read(r.path("out/archive")).unwrap()));
        let ran = step(&r, "install", &variables);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let folder = r.read("out/path");
        assert!(PathBuf::from(folder.trim_end()).join("overgrant").is_file(), "{folder}");
        fake(&r, "uname", "echo SunOS");
        let refused = step(&r, "install", &variables);
        assert!(
            refused.code == 2 && refused.err.contains("::error::overgrant has no binary for SunOS"),
            "{}",
            refused.err
        );
        let refused = step(&r, "install", &[("OVERGRANT_VERSION", "1\n::stop-commands::x")]);
        assert!(
            refused.code == 2 && refused.out.contains("`1%0A::stop-commands::x`"),
            "{}",
            refused.out
        );
        let refused = step(&r, "install", &[("OVERGRANT_VERSION", "1.0.0/../../x")]);
        assert!(
            refused.code == 2 && refused.out.contains("is not a version"),
            "{}",
            refused.out
        );
    }
}
