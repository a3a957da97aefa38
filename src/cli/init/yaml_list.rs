//! Adds an item to a list of a YAML file that a person wrote.
//!
//! **Invariant:** what the file said before, it says after, and the item in addition: both texts are parsed and compared.
//! Where that cannot be shown, nothing is added.

use serde_yaml::{Mapping, Value};

/// The text with `item` at the end of the list under the top-level key `key`, which is added if it is missing. The first line
/// of the item starts with `- `.
pub(super) fn with_item(text: &str, key: &str, item: &[String]) -> Option<String> {
    let before = parsed(text)?;
    let new_item = serde_yaml::from_str::<Value>(&item.join("\n")).ok()?;
    let changed = match before.contains_key(key) {
        true => inserted(text, key, item)?,
        false => appended(text, key, item),
    };
    let mut expected = before;
    let list = expected
        .entry(key.into())
        .or_insert_with(|| Value::Sequence(Vec::new()));
    list.as_sequence_mut()?.extend(new_item.as_sequence()?.iter().cloned());
    (parsed(&changed)? == expected).then_some(changed)
}

/// A file without content has no keys.
fn parsed(text: &str) -> Option<Mapping> {
    match serde_yaml::from_str(text).ok()? {
        Value::Mapping(mapping) => Some(mapping),
        Value::Null => Some(Mapping::new()),
        _ => None,
    }
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn appended(text: &str, key: &str, item: &[String]) -> String {
    let end = line_end(text);
    let mut out = text.to_owned();
    if !out.is_empty() {
        if !out.ends_with('\n') {
            out.push_str(end);
        }
        out.push_str(end);
    }
    out.push_str(&format!("{key}:{end}"));
    item.iter().for_each(|line| out.push_str(&format!("  {line}{end}")));
    out
}

/// After the last line of the list, at the indent of its items.
fn inserted(text: &str, key: &str, item: &[String]) -> Option<String> {
    let end = line_end(text);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_key = |line: &&str| {
        let rest = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
        rest.is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#'))
    };
    let at = lines.iter().position(is_key)?;
    let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let indent_of = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut indent = None;
    let mut last = at;
    for (i, line) in lines
        .iter()
        .enumerate()
        .skip(at + 1)
        .filter(|(_, line)| is_content(line))
    {
        let is_item = line.trim_start_matches(' ').starts_with('-');
        match indent {
            None if is_item => indent = Some(indent_of(line)),
            None => return None,
            Some(indent) if indent_of(line) < indent || indent_of(line) == indent && !is_item => break,
            Some(_) => {}
        }
        last = i;
    }
    let indent = " ".repeat(indent?);
    let mut out = lines[..=last].concat();
    if !out.ends_with('\n') {
        out.push_str(end);
    }
    item.iter()
        .for_each(|line| out.push_str(&format!("{indent}{line}{end}")));
    out.push_str(&lines[last + 1..].concat());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(text: &str) -> Option<String> {
        with_item(text, "repos", &["- repo: new".to_owned(), "  rev: v1".to_owned()])
    }

    #[test]
    fn an_item_is_added_in_the_style_of_the_file() {
        for (before, after) in [
            ("", "repos:\n  - repo: new\n    rev: v1\n"),
            ("# none yet\n", "# none yet\n\nrepos:\n  - repo: new\n    rev: v1\n"),
            (
                "fail_fast: true",
                "fail_fast: true\n\nrepos:\n  - repo: new\n    rev: v1\n",
            ),
            (
                "repos:\n- repo: a\n  rev: 1\n",
                "repos:\n- repo: a\n  rev: 1\n- repo: new\n  rev: v1\n",
            ),
            (
                "repos: # ours\n    - repo: a\n      # why\n      rev: 1\n\n# Last.\nfail_fast: true\n",
                "repos: # ours\n    - repo: a\n      # why\n      rev: 1\n    - repo: new\n      rev: v1\n\n# Last.\nfail_fast: true\n",
            ),
            (
                "repos:\r\n  - repo: a",
                "repos:\r\n  - repo: a\r\n  - repo: new\r\n    rev: v1\r\n",
            ),
        ] {
            assert_eq!(add(before).as_deref(), Some(after), "{before}");
        }
    }

    #[test]
    fn what_cannot_be_added_to_is_left() {
        for text in [
            "repos: []\n",
            "repos: [{repo: a}]\n",
            "repos:\n  a: b\n",
            "repos: a\n",
            "- a\n",
            "a: 1\n---\nb: 2\n",
            "a: [\n",
            "repos:\n",
            "x: |\n  repos:\nrepos: [a]\n",
        ] {
            assert_eq!(add(text), None, "{text}");
        }
    }
}
