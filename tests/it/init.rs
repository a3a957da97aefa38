//! `init`: what it writes, and what it leaves alone.

use crate::support::repository::{Ran, Repository};

const ALL: [&str; 4] = ["init", "--github", "--gitlab", "--pre-commit"];
const WORKFLOW: &str = ".github/workflows/overgrant.yml";

fn template() -> String {
    let topic = "arn:aws:sns:eu-west-1:444455556666:x";
    format!(
        "Resources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument:\n        Version: '2012-10-17'\n        \
         Statement:\n          - Effect: Allow\n            Action: sns:Publish\n            Resource: {topic}\n"
    )
}

fn done(ran: &Ran) -> &str {
    assert_eq!((ran.code, &*ran.err), (0, ""), "{}", ran.out);
    &ran.out
}

#[test]
fn settings_are_written_once() {
    let r = Repository::new(&[("t.yaml", &template())]);
    let printed = r.run(&["init", "--print"]);
    assert_eq!(r.files(), ["t.yaml"]);
    let first = r.run(&["init"]);
    assert!(
        done(&first).contains("wrote overgrant.toml") && first.out.contains("overgrant init --github"),
        "{}",
        first.out
    );
    let text = r.read("overgrant.toml");
    assert_eq!(done(&printed), format!("# overgrant.toml\n{text}"));
    assert!(text.contains("444455556666"));
    assert_eq!(r.run(&["config", "check"]).code, 0);
    r.write("overgrant.toml", b"# mine\n");
    let second = r.run(&["init"]);
    assert!(
        done(&second).starts_with("overgrant.toml exists; it was not changed\n"),
        "{}",
        second.out
    );
    assert_eq!(r.read("overgrant.toml"), "# mine\n");
}

#[test]
fn a_second_run_changes_nothing() {
    let r = Repository::new(&[]);
    let printed = r.run(&[&ALL[..], &["--print"]].concat());
    assert!(r.files().is_empty());
    let first = r.run(&ALL);
    let names = [
        ".github/workflows/overgrant.yml",
        ".gitlab-ci.yml",
        ".pre-commit-config.yaml",
    ];
    assert_eq!(r.files(), names);
    let texts = names.map(|name| r.read(name));
    for (name, text) in names.iter().zip(&texts) {
        assert!(done(&first).contains(&format!("wrote {name}\n")), "{}", first.out);
        assert!(done(&printed).contains(&format!("# {name}\n{text}")), "{}", printed.out);
        serde_yaml::from_str::<serde_yaml::Value>(text).unwrap();
    }
    let second = r.run(&ALL);
    for name in names {
        assert!(
            done(&second).contains(&format!("{name} is up to date; it was not changed\n")),
            "{}",
            second.out
        );
    }
    assert!(
        first.out.contains("  Commit it.") && first.out.contains("  Run `pre-commit install`"),
        "{}",
        first.out
    );
    assert_eq!(second.out.lines().count(), names.len(), "{}", second.out);
    assert_eq!(names.map(|name| r.read(name)), texts);
}

#[test]
fn files_lie_at_the_root_of_the_repository() {
    let r = Repository::new(&[("infra/t.yaml", &template())]);
    let ran = r.run_in("infra", &["init", "--github"]);
    assert!(
        done(&ran).contains("wrote ../.github/workflows/overgrant.yml"),
        "{}",
        ran.out
    );
    assert_eq!(r.files(), [WORKFLOW, "infra/t.yaml"]);
}

#[test]
fn what_a_person_wrote_is_kept() {
    let hooks = "repos:\n- repo: https://github.com/astral-sh/ruff-pre-commit\n  rev: v0.14.0 # pinned\n  hooks: [{id: ruff}]\n";
    let jobs = "include:\n  local: ci/base.yml\n\ntest:\n  script: make # all\n";
    let r = Repository::new(&[
        (".pre-commit-config.yaml", hooks),
        (".gitlab-ci.yml", jobs),
        (WORKFLOW, "on: push\n"),
    ]);
    let first = r.run(&ALL);
    assert!(
        done(&first).contains(&format!("{WORKFLOW} differs from what this version writes")),
        "{}",
        first.out
    );
    assert!(
        first.out.contains("added overgrant to .pre-commit-config.yaml"),
        "{}",
        first.out
    );
    let kept = ".gitlab-ci.yml cannot be added to safely; it was not changed. Add these lines:\n\ninclude:\n  - remote: https://";
    assert!(first.out.contains(kept), "{}", first.out);
    let with_hook = r.read(".pre-commit-config.yaml");
    assert!(
        with_hook.starts_with(hooks) && with_hook.ends_with("  hooks:\n    - id: overgrant\n"),
        "{with_hook}"
    );
    let second = r.run(&ALL);
    assert!(
        done(&second).contains(".pre-commit-config.yaml has overgrant; it was not changed"),
        "{}",
        second.out
    );
    assert_eq!(r.read(".pre-commit-config.yaml"), with_hook);
    assert_eq!(
        (r.read(".gitlab-ci.yml"), r.read(WORKFLOW)),
        (jobs.to_owned(), "on: push\n".to_owned())
    );
    let edited = with_hook.replace("id: overgrant", "id: overgrant-all");
    r.write(".pre-commit-config.yaml", edited.as_bytes());
    assert!(done(&r.run(&ALL)).contains("has overgrant"));
    assert_eq!(r.read(".pre-commit-config.yaml"), edited);
}
