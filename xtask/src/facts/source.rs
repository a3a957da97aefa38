//! Reading the sources: folders of unpacked packages, the Service Reference, what they are dated.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::text;

pub fn json(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|e| format!("{}: {e}", path.display()))
}

/// A JSON file, or its gzipped form beside where it would be.
pub fn json_or_gz(path: &Path) -> Result<Value, String> {
    if path.exists() {
        return json(path);
    }
    let packed = PathBuf::from(format!("{}.gz", path.display()));
    let text = output(Command::new("gzip").arg("-dc").arg(&packed))?;
    serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", packed.display()))
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let out = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if !out.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&out.stderr)));
    }
    Ok(out.stdout)
}

/// The files of a folder, sorted; none where there is no folder.
pub fn files_in(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(Vec::new());
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|e| format!("{}: {e}", dir.display()))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The version of an unpacked wheel: from its `.dist-info` folder's name.
pub fn version(dir: &str, package: &str) -> Result<String, String> {
    files_in(Path::new(dir))?
        .iter()
        .filter_map(|p| p.file_name()?.to_str())
        .find_map(|n| {
            Some(
                n.strip_prefix(&format!("{package}-"))?
                    .strip_suffix(".dist-info")?
                    .to_owned(),
            )
        })
        .ok_or_else(|| format!("{dir} holds no {package}-*.dist-info: it is not an unpacked wheel"))
}

/// For each client of boto3 and operation, the actions that the Service Reference lists, with the service that a role is
/// passed to.
pub type Reference = BTreeMap<(String, String), Vec<Authorized>>;

#[derive(Clone, Debug)]
pub struct Authorized {
    /// `s3:GetObject`.
    pub action: String,
    /// Of `iam:PassRole`: `lambda.amazonaws.com`.
    pub passed_to: Vec<String>,
}

/// Reads the Service Reference from a folder of `<service>/<service>.json` or `<service>.json`, or from its address.
pub fn service_reference(place: &str) -> Result<Reference, String> {
    let mut reference = Reference::new();
    if place.starts_with("https://") || place.starts_with("http://") {
        let get = |url: &str| output(Command::new("curl").args(["-sSf", "--retry", "2", url]));
        let index: Value = serde_json::from_slice(&get(place)?).map_err(|e| format!("{place}: {e}"))?;
        for service in index.as_array().into_iter().flatten() {
            let url = service["url"]
                .as_str()
                .ok_or_else(|| format!("{place}: an entry has no url"))?;
            let file = serde_json::from_slice(&get(url)?).map_err(|e| format!("{url}: {e}"))?;
            add_reference(&file, &mut reference);
        }
        return Ok(reference);
    }
    let mut folders = vec![PathBuf::from(place)];
    while let Some(folder) = folders.pop() {
        for path in files_in(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                add_reference(&json(&path)?, &mut reference);
            }
        }
    }
    if reference.is_empty() {
        return Err(format!("{place} holds no operations of the Service Reference"));
    }
    Ok(reference)
}

fn add_reference(file: &Value, reference: &mut Reference) {
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    for operation in list(&file["Operations"]) {
        let mut actions = Vec::new();
        for action in list(&operation["AuthorizedActions"]) {
            let (Some(service), Some(name)) = (action["Service"].as_str(), action["Name"].as_str()) else {
                continue;
            };
            let passed_to = action["Context"]["iam:PassedToService"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|v| Some(v.as_str()?.to_owned()))
                .collect();
            actions.push(Authorized {
                action: format!("{service}:{name}"),
                passed_to,
            });
        }
        for sdk in list(&operation["SDK"]) {
            if sdk["Package"] == "Boto3"
                && let (Some(client), Some(_)) = (sdk["Name"].as_str(), operation["Name"].as_str())
            {
                let method = sdk["Method"].as_str().unwrap_or_default().replace('_', "");
                reference.insert((client.to_owned(), method), actions.clone());
            }
        }
    }
}

/// `sources.txt`: what each table was taken from, and of which day.
pub struct Dates {
    head: Vec<String>,
    rows: BTreeMap<String, (String, String)>,
}

impl Dates {
    pub fn read(root: &Path) -> Result<Self, String> {
        let path = root.join("sources.txt");
        let file = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self {
            head: file.lines().filter(|l| l.starts_with('#')).map(str::to_owned).collect(),
            rows: text::lines(&file)
                .map(|l| (l.at(0).to_owned(), (l.at(1).to_owned(), l.at(2).to_owned())))
                .collect(),
        })
    }

    pub fn set(&mut self, table: &str, date: &str, from: &str) {
        self.rows.insert(table.to_owned(), (date.to_owned(), from.to_owned()));
    }

    /// A new source whose date it does not tell: the day of the old one stays unless the source is another.
    pub fn note(&mut self, table: &str, from: &str) {
        let row = self.rows.entry(table.to_owned()).or_default();
        if !row.1.starts_with(from) {
            *row = (today(), from.to_owned());
        }
    }

    pub fn write(&self) -> String {
        let mut lines = self.head.clone();
        lines.extend(
            self.rows
                .iter()
                .map(|(table, (date, from))| format!("{table}\t{date}\t{from}")),
        );
        lines.join("\n") + "\n"
    }
}

fn today() -> String {
    output(Command::new("date").arg("+%F"))
        .ok()
        .and_then(|d| String::from_utf8(d).ok())
        .map_or_else(String::new, |d| d.trim().to_owned())
}
