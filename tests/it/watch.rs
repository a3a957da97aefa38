//! `check --watch`: a child process, and files that change under it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::repository::Repository;

/// For a machine that is busy; a report takes far less.
const PATIENCE: Duration = Duration::from_mins(2);

const ADMIN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
const READER: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#;

struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(r: &Repository, args: &[&str]) -> Self {
        // One pipe for both, so that the order of the lines is kept.
        let (reader, writer) = std::io::pipe().unwrap();
        let args = [
            &["check", "--watch", "-f", "compact", "--only", "admin-star-star"],
            args,
        ]
        .concat();
        let mut command = r.command(&args);
        command
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .stdin(Stdio::null());
        let child = command.spawn().unwrap();
        drop(command);
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines() {
                let Ok(line) = line else { break };
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The lines of the next report.
    fn report(&self) -> Vec<String> {
        let mut report = Vec::new();
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|e| panic!("{e}: {report:#?}"));
            if line.contains("for changes") {
                return report;
            }
            report.push(line);
        }
    }

    /// Paths with findings in the next report.
    fn found(&self) -> Vec<String> {
        let path = |line: &String| line.split(':').next().unwrap_or_default().to_owned();
        self.report()
            .iter()
            .filter(|l| l.contains("[admin-star-star]"))
            .map(path)
            .collect()
    }

    /// Reports until one is `expected`: a change may be seen in parts.
    fn until(&self, expected: &[&str]) {
        while self.found() != expected {}
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_change_of_what_is_read_makes_a_new_report() {
    let r = Repository::new(&[
        ("a.json", READER),
        ("infra/b.json", READER),
        (".gitignore", "out/\n"),
        ("out/c.json", READER),
        ("node_modules/m/c.json", READER),
    ]);
    let watching = Watching::start(&r, &["--output", "json=report.json"]);
    assert_eq!(watching.found(), [""; 0]);
    // Nobody reads these.
    r.write("out/c.json", ADMIN.as_bytes());
    r.write("node_modules/m/c.json", ADMIN.as_bytes());
    r.write("a.json", ADMIN.as_bytes());
    watching.until(&["a.json"]);
    // As editors save.
    r.write("a.json.new", READER.as_bytes());
    std::fs::rename(r.path("a.json.new"), r.path("a.json")).unwrap();
    watching.until(&[]);
    // A folder that goes and comes back.
    std::fs::remove_dir_all(r.path("infra")).unwrap();
    watching.until(&[]);
    r.write("infra/b.json", ADMIN.as_bytes());
    watching.until(&["infra/b.json"]);
    r.write("new/deep/d.json", ADMIN.as_bytes());
    watching.until(&["infra/b.json", "new/deep/d.json"]);
}

#[test]
fn settings_and_baselines_are_watched_and_mistakes_in_them_end_nothing() {
    let r = Repository::new(&[("a.json", ADMIN)]);
    let watching = Watching::start(&r, &[]);
    assert_eq!(watching.found(), ["a.json"]);
    r.write("overgrant.toml", b"exclude = [\"a.json\"]\n");
    watching.until(&[]);
    r.write("overgrant.toml", b"no-such-key = 1\n");
    while !watching
        .report()
        .iter()
        .any(|line| line.starts_with("error: overgrant.toml:1:1"))
    {}
    r.write("overgrant.toml", b"fail-on = \"low\"\n");
    watching.until(&["a.json"]);
    assert_eq!(r.run(&["baseline", "create"]).code, 0);
    watching.until(&[]);
    std::fs::remove_file(r.path(".overgrant-baseline.json")).unwrap();
    watching.until(&["a.json"]);
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let r = Repository::new(&[("a.json", ADMIN)]);
    for args in [
        &["--fix"][..],
        &["--diff"],
        &["-"],
        &["--files-from", "-"],
        &["nowhere.json"],
    ] {
        let ran = r.run(&[&["check", "--watch"], args].concat());
        assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{args:?}: {}", ran.err);
    }
}
