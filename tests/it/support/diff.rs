//! What `diff` says of two sides, in lines.

use serde_json::Value;

use super::repository::Repository;

/// Both sides as folders, `old` and `new`.
pub(crate) fn sides(old: &[(&str, &str)], new: &[(&str, &str)]) -> Repository {
    let r = Repository::new(&[]);
    for (side, files) in [("old", old), ("new", new)] {
        for (path, text) in files {
            r.write(&format!("{side}/{path}"), text.as_bytes());
        }
    }
    r
}

/// What is said of [`sides`].
pub(crate) fn compared_sides(r: &Repository) -> Value {
    r.run(&["diff", "old", "new", "--format", "json"]).json()
}

pub(crate) fn compared(old: &[(&str, &str)], new: &[(&str, &str)]) -> Value {
    compared_sides(&sides(old, new))
}

/// What is said of one file in which `from` becomes `to`.
#[track_caller]
pub(crate) fn edited(path: &str, text: &str, from: &str, to: &str) -> Value {
    assert!(text.contains(from), "{from}");
    compared(&[(path, text)], &[(path, &text.replace(from, to))])
}

/// The texts of a list, with spaces between them.
pub(crate) fn words(list: &Value) -> String {
    let words = list.as_array().unwrap().iter().map(|a| a.as_str().unwrap());
    words.collect::<Vec<_>>().join(" ")
}

/// `subject: actions on resources for principals` of each change, each with what there is of it.
pub(crate) fn changes(json: &Value, list: &str) -> Vec<String> {
    let line = |c: &Value| {
        let mut out = format!("{}: {}", c["subject"].as_str().unwrap(), words(&c["actions"]));
        for (lead, name) in [(" on ", "resources"), (" for ", "principals")] {
            let items = words(&c[name]);
            if !items.is_empty() {
                out += &format!("{lead}{items}");
            }
        }
        out
    };
    json[list].as_array().unwrap().iter().map(line).collect()
}

/// What could not be decided.
pub(crate) fn unknown(json: &Value) -> Vec<String> {
    let all = json["unknown"].as_array().unwrap().iter();
    all.map(|u| u["why"].as_str().unwrap().to_owned()).collect()
}

/// This is gained and lost, and all is decided.
#[track_caller]
pub(crate) fn only(json: &Value, gained: &[&str], lost: &[&str]) {
    assert_eq!(
        (changes(json, "gained"), changes(json, "lost")),
        (owned(gained), owned(lost))
    );
    assert_eq!(unknown(json), Vec::<String>::new());
}

fn owned(all: &[&str]) -> Vec<String> {
    all.iter().map(|t| (*t).to_owned()).collect()
}
