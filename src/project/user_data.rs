//! User data of instances, as commands of a shell.

use crate::model::Resource;
use crate::source::file_name;
use crate::value::Value;

/// Maximum number of commands that are looked at.
const MAX_COMMANDS: usize = 2_000;

/// Programs that call AWS only where their arguments say so, and start nothing.
const HARMLESS: &[&str] = &[
    "[",
    "[[",
    "adduser",
    "amazon-linux-extras",
    "apt",
    "apt-get",
    "cat",
    "cd",
    "chmod",
    "chown",
    "cp",
    "curl",
    "date",
    "dnf",
    "do",
    "done",
    "echo",
    "else",
    "exit",
    "export",
    "fi",
    "for",
    "git",
    "groupadd",
    "if",
    "ln",
    "ls",
    "mkdir",
    "mount",
    "mv",
    "pip",
    "pip3",
    "printf",
    "pwd",
    "rm",
    "rpm",
    "sed",
    "set",
    "sleep",
    "source",
    "tar",
    "tee",
    "then",
    "touch",
    "unzip",
    "update-alternatives",
    "useradd",
    "usermod",
    "wget",
    "while",
    "yum",
];

/// The user data of an instance or of what it is launched from.
pub(crate) fn of(r: &Resource) -> Option<&Value> {
    let own = ["UserData", "UserDataBase64"].into_iter().find_map(|name| r.get(name));
    let start = own.or_else(|| r.path(&["LaunchTemplateData", "UserData"]));
    start.filter(|v| !v.is_null())
}

/// The commands of a script, as words. Words are not unquoted.
pub(crate) fn commands(script: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let parts = lines.flat_map(|line| line.split(['&', ';', '|']));
    let words = parts.map(|part| {
        let mut words = part.split_whitespace().map(str::to_owned).peekable();
        while words
            .next_if(|w| matches!(&**w, "sudo" | "nohup" | "-E" | "time") || w.contains('='))
            .is_some()
        {}
        words.collect::<Vec<String>>()
    });
    words.filter(|words| !words.is_empty()).take(MAX_COMMANDS).collect()
}

/// Whether a script starts nothing but Python, and what is known to call nothing of AWS by itself.
pub(crate) fn starts_only_python(script: &str) -> bool {
    let all = commands(script);
    all.len() < MAX_COMMANDS
        && all.iter().all(|words| {
            let program = words.first().map_or("", |w| file_name(w));
            program.starts_with("python") || HARMLESS.binary_search(&program).is_ok()
        })
}
