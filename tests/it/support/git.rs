//! Repositories with commits.

use std::process::Command;

use super::repository::{Repository, finished};

pub(crate) fn git_command(r: &Repository, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(args).current_dir(r.path(""));
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command
        .env("GIT_CONFIG_GLOBAL", r.path(".git/none"))
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "A")
            .env(format!("GIT_{who}_EMAIL"), "a@example.com");
    }
    command
}

pub(crate) fn git(r: &Repository, args: &[&str]) -> String {
    let ran = finished(git_command(r, args));
    assert_eq!(ran.code, 0, "git {args:?}: {}{}", ran.out, ran.err);
    ran.out.trim().to_owned()
}

pub(crate) fn commit(r: &Repository) {
    git(r, &["add", "--all"]);
    git(r, &["commit", "--quiet", "--allow-empty", "-m", "c"]);
}

/// A repository with one commit that has these files.
pub(crate) fn committed(files: &[(&str, &str)]) -> Repository {
    let r = Repository::new(files);
    git(&r, &["init", "--quiet", "-b", "main"]);
    commit(&r);
    r
}
