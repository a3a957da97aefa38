//! A folder with files, and the command run in it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A temporary repository.
pub(crate) struct Repository {
    dir: TempDir,
}

/// What a run of the command gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON: {e}\n{}\n{}", self.out, self.err))
    }

    pub(crate) fn findings(&self) -> Vec<serde_json::Value> {
        self.json()["findings"].as_array().unwrap().clone()
    }

    /// Rules of the findings that are new, in order.
    pub(crate) fn rules(&self) -> Vec<String> {
        self.with_status("new")
    }

    /// `path: why` of each entry of `unjudged`.
    pub(crate) fn unjudged(&self) -> Vec<String> {
        let json = self.json();
        let all = json["unjudged"].as_array().unwrap().iter();
        all.map(|u| format!("{}: {}", u["path"].as_str().unwrap(), u["why"].as_str().unwrap()))
            .collect()
    }

    pub(crate) fn with_status(&self, status: &str) -> Vec<String> {
        self.findings()
            .iter()
            .filter(|f| f["status"] == status)
            .map(|f| f["rule"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Repository {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        // The walk upwards for settings ends here.
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        let repository = Self { dir };
        for (path, text) in files {
            repository.write(path, text.as_bytes());
        }
        repository
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// The command, in the repository, in an environment with nothing that changes output.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_overgrant"));
        command.args(args).current_dir(self.dir.path());
        for name in [
            "NO_COLOR",
            "FORCE_COLOR",
            "CLICOLOR_FORCE",
            "GITHUB_ACTIONS",
            "CI",
            "COLUMNS",
            "OVERGRANT_FORMAT",
        ] {
            command.env_remove(name);
        }
        command.env("SOURCE_DATE_EPOCH", "1790000000");
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        finished(self.command(args))
    }

    /// `check --format json` with these arguments in addition.
    pub(crate) fn check(&self, args: &[&str]) -> Ran {
        self.run(&[&["check", "--format", "json"], args].concat())
    }

    pub(crate) fn run_in(&self, folder: &str, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        command.current_dir(self.path(folder));
        finished(command)
    }

    pub(crate) fn run_with_stdin(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        ran(child.wait_with_output().unwrap())
    }

    pub(crate) fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = walkdir::WalkDir::new(self.dir.path())
            .into_iter()
            .flatten()
            .filter(|e| e.file_type().is_file())
            .map(|e| shown(e.path().strip_prefix(self.dir.path()).unwrap()))
            .collect();
        files.sort();
        files
    }
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().replace('\\', "/")
}

pub(crate) fn finished(mut command: Command) -> Ran {
    ran(command.output().unwrap())
}

fn ran(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An access key id and a secret key that look real, made here so that no file holds them.
pub(crate) fn key_pair() -> (String, String) {
    let id = ["AKIA", "Q3", "EGRZ7TXK", "5WLNPH"].concat();
    let secret = ["kR7vQ2xWm9", "Tz4LpB8sYd", "1NcF6hGj3U", "eA5oXwZqE0"].concat();
    (id, secret)
}

/// All findings of `rules` alone in these files.
pub(crate) fn findings_of(rules: &[&str], files: &[(&str, &str)]) -> Vec<serde_json::Value> {
    let only = rules.iter().flat_map(|rule| ["--only", rule]);
    let args: Vec<&str> = std::iter::once("--isolated").chain(only).collect();
    Repository::new(files).check(&args).findings()
}

/// `rule severity confidence` of each finding.
pub(crate) fn grades(findings: &[serde_json::Value]) -> Vec<String> {
    let word = |f: &serde_json::Value, key: &str| f[key].as_str().unwrap().to_owned();
    let grade = |f| ["rule", "severity", "confidence"].map(|key| word(f, key)).join(" ");
    findings.iter().map(grade).collect()
}
