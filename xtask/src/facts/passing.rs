//! `pass-role.txt`: the operations that pass a role, taken from the clients; and which of them nobody has judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::report::Report;
use super::sdk::Clients;
use super::text;

pub const FILE: &str = "pass-role.txt";
const GAINS: &str = "hand/passed-roles.txt";

const HEAD: &str = "\
# The operations that pass a role: the client, the operation, its actions, and the services that get the role (`guess`: AWS
# does not list `iam:PassRole`, and a parameter looks like a role). Written by `cargo xtask facts`.
";

/// The table, sorted by client and operation.
pub fn table(clients: &Clients) -> String {
    let mut lines = Vec::new();
    for (name, client) in clients {
        for passing in client.passing() {
            let mut line = format!("{name}\t{}\t{}", passing.operation, passing.actions.join(", "));
            let bare = |service: &String| service.strip_suffix(".amazonaws.com").unwrap_or(service).to_owned();
            let services: Vec<String> = passing.services.iter().map(bare).collect();
            if !services.is_empty() {
                line.push_str(&format!("\tto={}", services.join(", ")));
            }
            if passing.is_guess {
                line.push_str("\tguess");
            }
            lines.push(line);
        }
    }
    lines.sort();
    format!("{HEAD}{}\n", lines.join("\n"))
}

/// Reports what changed, and the operations that have neither a method nor an exception.
pub fn compare(root: &Path, new: &str, report: &mut Report) -> Result<(), String> {
    let old = fs::read_to_string(root.join(FILE)).unwrap_or_default();
    let rows = |table: &str| -> BTreeMap<String, String> {
        let rows = text::lines(table).map(|l| {
            let rest: Vec<&str> = l.fields().skip(2).collect();
            (format!("{}:{}", l.at(0), l.at(1)), rest.join("\t"))
        });
        rows.collect()
    };
    report.compare("role that is passed", false, &rows(&old), &rows(new));
    for name in unjudged(root, new)? {
        report.note(format!("{name} passes a role: say in {GAINS} what the passer gains"));
    }
    Ok(())
}

/// The operations of a table about which `passed-roles.txt` says nothing.
pub fn unjudged(root: &Path, table: &str) -> Result<Vec<String>, String> {
    let judged = judged(root)?;
    let has = |client: &str, name: &str| judged.contains(&(client.to_owned(), name.to_owned()));
    let missing = text::lines(table).filter(|l| !has(l.at(0), l.at(1)) && !has(l.at(0), "*"));
    Ok(missing.map(|l| format!("{}:{}", l.at(0), l.at(1))).collect())
}

/// The operations that `passed-roles.txt` names and a table does not have.
pub fn unknown(root: &Path, table: &str) -> Result<Vec<String>, String> {
    let known: BTreeSet<(String, String)> = text::lines(table)
        .flat_map(|l| [l.at(1), "*"].map(|name| (l.at(0).to_owned(), name.to_owned())))
        .collect();
    let lost = judged(root)?.into_iter().filter(|j| !known.contains(j));
    Ok(lost.map(|(client, name)| format!("{client}:{name}")).collect())
}

/// Clients and operations of `passed-roles.txt`.
fn judged(root: &Path) -> Result<BTreeSet<(String, String)>, String> {
    let path = root.join(GAINS);
    let gains = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut found = BTreeSet::new();
    for line in text::lines(&gains).filter(|l| l.at(0) != "runs") {
        for client in text::items(line.at(0)) {
            let names = text::items(line.at(1)).map(|name| (client.to_owned(), name.to_owned()));
            found.extend(names);
        }
    }
    Ok(found)
}
