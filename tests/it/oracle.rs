//! Our trees against other readers: equal values wherever serde_json and serde_yaml accept a file, and every string's
//! characters lie where its offset map says. Over `testdata/`, and over the folder in `OVERGRANT_CORPUS` if that is set.

use std::fmt::Write as _;
use std::path::Path;

use overgrant::internals::source::{FileId, Text};
use overgrant::internals::syntax::{NodeId, NodeKind, Tree, json, yaml};
use serde::Deserialize as _;

const F: FileId = FileId(0);

/// A value in a form that all three readers can be brought to.
fn ours(tree: &Tree, id: NodeId, out: &mut String) {
    let text = || tree.text(id).and_then(Text::known).unwrap_or_default();
    match tree.kind(id) {
        NodeKind::Null => out.push_str("null"),
        NodeKind::Bool => out.push_str(&text().to_lowercase()),
        NodeKind::Num => push_number(&text(), out),
        NodeKind::Str => write!(out, "{:?}", text()).unwrap(),
        NodeKind::Seq => {
            out.push('[');
            for child in tree.children(id) {
                ours(tree, child, out);
                out.push(',');
            }
            out.push(']');
        }
        NodeKind::Map => {
            // As in serde's maps: keys in order of their first, values of their last occurrence.
            let mut entries: Vec<(String, String)> = Vec::new();
            for (k, v) in tree.entries(id) {
                let (mut key, mut value) = (String::new(), String::new());
                ours(tree, k, &mut key);
                ours(tree, v, &mut value);
                match entries.iter_mut().find(|e| e.0 == key) {
                    Some(e) => e.1 = value,
                    None => entries.push((key, value)),
                }
            }
            out.push('{');
            for (k, v) in entries {
                write!(out, "{k}:{v},").unwrap();
            }
            out.push('}');
        }
        NodeKind::Call => {
            write!(out, "!{} ", tree.name(id)).unwrap();
            for child in tree.children(id) {
                ours(tree, child, out);
            }
        }
        kind => write!(out, "<{kind:?}>").unwrap(),
    }
}

fn push_number(text: &str, out: &mut String) {
    let plain = text.strip_prefix('+').unwrap_or(text);
    let (sign, digits) = plain.strip_prefix('-').map_or((1.0, plain), |d| (-1.0, d));
    let radix = |prefix, radix| {
        let digits = digits.strip_prefix(prefix)?;
        u64::from_str_radix(digits, radix).ok().map(|n| n as f64)
    };
    let value = radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2))
        .or_else(|| {
            digits
                .to_lowercase()
                .trim_start_matches('.')
                .parse::<f64>()
                .ok()
                .filter(|n| !n.is_finite())
        })
        .or_else(|| digits.parse().ok())
        .unwrap_or(f64::NAN);
    write!(out, "{}", sign * value).unwrap();
}

fn of_json(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::Null => out.push_str("null"),
        serde_json::Value::Bool(b) => write!(out, "{b}").unwrap(),
        serde_json::Value::Number(n) => write!(out, "{}", n.as_f64().unwrap()).unwrap(),
        serde_json::Value::String(s) => write!(out, "{s:?}").unwrap(),
        serde_json::Value::Array(items) => {
            out.push('[');
            for item in items {
                of_json(item, out);
                out.push(',');
            }
            out.push(']');
        }
        serde_json::Value::Object(entries) => {
            out.push('{');
            for (k, v) in entries {
                write!(out, "{k:?}:").unwrap();
                of_json(v, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

fn of_yaml(value: &serde_yaml::Value, out: &mut String) {
    match value {
        serde_yaml::Value::Null => out.push_str("null"),
        serde_yaml::Value::Bool(b) => write!(out, "{b}").unwrap(),
        serde_yaml::Value::Number(n) => write!(out, "{}", n.as_f64().unwrap()).unwrap(),
        serde_yaml::Value::String(s) => write!(out, "{s:?}").unwrap(),
        serde_yaml::Value::Sequence(items) => {
            out.push('[');
            for item in items {
                of_yaml(item, out);
                out.push(',');
            }
            out.push(']');
        }
        serde_yaml::Value::Mapping(entries) => {
            out.push('{');
            for (k, v) in entries {
                of_yaml(k, out);
                out.push(':');
                of_yaml(v, out);
                out.push(',');
            }
            out.push('}');
        }
        serde_yaml::Value::Tagged(tagged) => {
            write!(out, "!{} ", tagged.tag.to_string().trim_start_matches('!')).unwrap();
            of_yaml(&tagged.value, out);
        }
    }
}

/// What is wrong with our reading of a file, or `None`; the other reader must accept it, else there is nothing to compare.
fn json_differs(text: &str) -> Option<Option<String>> {
    let stripped = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: serde_json::Value = serde_json::from_str(stripped).ok()?;
    let mut expected = String::new();
    of_json(&value, &mut expected);
    let tree = json::parse(F, text);
    Some(differs(&tree, text, &[expected]))
}

fn yaml_differs(text: &str) -> Option<Option<String>> {
    let mut expected = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = serde_yaml::Value::deserialize(document).ok()?;
        let mut out = String::new();
        of_yaml(&value, &mut out);
        expected.push(out);
    }
    let tree = yaml::parse(F, text);
    Some(differs(&tree, text, &expected))
}

fn differs(tree: &Tree, text: &str, expected: &[String]) -> Option<String> {
    if let Some(problem) = tree.problems.first() {
        return Some(format!("problem at {}: {}", problem.span.start, problem.message));
    }
    let found: Vec<String> = tree
        .roots
        .iter()
        .map(|root| {
            let mut out = String::new();
            ours(tree, *root, &mut out);
            out
        })
        .collect();
    // An empty stream is null to serde_yaml and no document to us.
    let expected: Vec<&String> = expected
        .iter()
        .filter(|e| found.len() == expected.len() || *e != "null")
        .collect();
    if found.len() != expected.len() {
        return Some(format!("{} documents, not {}", found.len(), expected.len()));
    }
    for (ours, theirs) in found.iter().zip(expected) {
        if ours != theirs {
            let at = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
            let near = |s: &str| s.chars().skip(at.saturating_sub(40)).take(90).collect::<String>();
            return Some(format!("ours {} theirs {}", near(ours), near(theirs)));
        }
    }
    misplaced(tree, text)
}

/// A string one of whose characters is not where its map says, nor stood for by an escape or a break.
pub(super) fn misplaced(tree: &Tree, source: &str) -> Option<String> {
    for root in &tree.roots {
        let mut open = vec![*root];
        while let Some(node) = open.pop() {
            if tree.is_alias(node) {
                continue;
            }
            let outer = tree.span(node);
            let Some(slice) = source.get(outer.range()) else {
                return Some(format!("span {outer:?} is out of bounds or splits a character"));
            };
            if tree.kind(node) != NodeKind::Null
                && let Some(text) = tree.text(node)
                && let Some(value) = text.known()
            {
                for (i, c) in value.char_indices() {
                    let Some(span) = text.span_of(i..i + c.len_utf8()) else {
                        return Some(format!("{c:?} of {slice:?} has no place"));
                    };
                    let Some(place) = source.get(span.range()) else {
                        return Some(format!("{c:?} of {slice:?} lies out of bounds or splits a character"));
                    };
                    let stands_for = place.starts_with('\\') || place == "''" || place.trim().is_empty();
                    if place != c.encode_utf8(&mut [0; 4]) && !stands_for {
                        return Some(format!("{c:?} of {slice:?} lies at {place:?}"));
                    }
                }
            }
            open.extend(tree.children(node));
        }
    }
    None
}

/// Compares all files under `folder`; gives the number compared, the number that the other reader refuses, and the faults.
fn compare(folder: &Path) -> (usize, usize, Vec<String>) {
    let (mut compared, mut refused, mut faults) = (0, 0, Vec::new());
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten() {
        let name = entry.path().display().to_string();
        let is = |ends: &[&str]| ends.iter().any(|e| name.ends_with(e));
        let (as_json, as_yaml) = (is(&[".json"]), is(&[".yaml", ".yml", ".template"]));
        if !entry.file_type().is_file() || !(as_json || as_yaml) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(entry.path()) else {
            continue;
        };
        let json_like = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
        let verdict = if as_json || json_like {
            json_differs(&text)
        } else {
            yaml_differs(&text)
        };
        match verdict {
            None => refused += 1,
            Some(None) => compared += 1,
            Some(Some(fault)) => {
                compared += 1;
                faults.push(format!("{name}: {fault}"));
            }
        }
    }
    (compared, refused, faults)
}

#[test]
fn trees_agree_with_serde_on_all_test_data() {
    let (compared, _, faults) = compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"));
    assert!(compared >= 10, "only {compared} files");
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn trees_agree_with_serde_on_the_given_corpus() {
    let Some(folder) = std::env::var_os("OVERGRANT_CORPUS") else {
        return;
    };
    let (compared, refused, faults) = compare(Path::new(&folder));
    println!(
        "{compared} compared, {refused} refused by the other reader, {} differ",
        faults.len()
    );
    assert_eq!(faults, Vec::<String>::new());
}
