//! Test code inside a module: what runs under the mocks of moto, test cases of `unittest`, and policies that are called mocks.
//!
//! moto, "Getting Started": `@mock_aws` on functions and classes, `with mock_aws():`. Such code calls no account.

use crate::python::syntax::{K, PythonCode, Tree, kind};
use crate::source::Span;

/// The outermost spans of test code.
pub(super) fn test_code(code: &PythonCode<'_>, tree: &Tree) -> Vec<Span> {
    let text = code.text();
    let mocks = mocks_of(text);
    let cases = text.contains("TestCase");
    let named = ["mock_", "MOCK_", "fake_", "FAKE_"];
    let shows = text.contains("Statement") && named.iter().any(|name| text.contains(name));
    if mocks.is_empty() && !cases && !shows {
        return Vec::new();
    }
    let called = |expression: &str| {
        let head = expression
            .trim_start_matches('@')
            .split(['(', ' ', ':', ','])
            .next()
            .unwrap_or_default()
            .trim();
        let (module, name) = head.rsplit_once('.').unwrap_or(("", head));
        match module {
            "" => mocks.contains(&name),
            _ => module == "moto" && mocks.contains(&"moto") && name.starts_with("mock_"),
        }
    };
    let mut out = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        let slice = |range| code.slice(range);
        let found = match kind(node) {
            K::DecoratedDefinition => (0..node.child_count())
                .filter_map(|i| node.child(i as _))
                .any(|c| kind(c) == K::Decorator && called(slice(c.byte_range()))),
            K::WithStatement => {
                let head = node
                    .child_by_field_name("body")
                    .map_or(node.end_byte(), |b| b.start_byte());
                let head = slice(node.start_byte()..head);
                let items = head.trim_start_matches("async").trim_start().trim_start_matches("with");
                items
                    .split(',')
                    .any(|item| called(item.trim().trim_start_matches('(').trim_start()))
            }
            K::ClassDefinition if cases => node
                .child_by_field_name("superclasses")
                .is_some_and(|s| slice(s.byte_range()).contains("TestCase")),
            // `mock_policy = {…}`: what a check is tried on.
            K::Assignment if shows => {
                let written = slice(node.byte_range());
                named.iter().any(|name| written.starts_with(name)) && written.contains("Statement")
            }
            _ => false,
        };
        if found {
            out.push(code.span(node.byte_range()));
        }
        if !found && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return out;
            }
        }
    }
}

/// Names under which a module knows the mocks of moto; `moto` itself where the package is imported.
fn mocks_of(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for (at, _) in text.match_indices("moto") {
        let line = text[..at].rfind('\n').map_or(0, |i| i + 1);
        match text[line..at].trim() {
            "import" => out.push("moto"),
            "from" => {
                let rest = text[at..]
                    .split_once("import")
                    .map_or("", |(_, rest)| rest)
                    .trim_start();
                let end = match rest.starts_with('(') {
                    true => rest.find(')'),
                    false => rest.find('\n'),
                };
                let names = rest[..end.unwrap_or(rest.len())].trim_start_matches('(').split(',');
                for name in names {
                    let (name, alias) = name.split_once(" as ").unwrap_or((name, name));
                    if name.trim().starts_with("mock_") {
                        out.push(alias.trim());
                    }
                }
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::syntax;
    use crate::source::FileId;

    #[test]
    fn what_runs_under_mocks_is_found() {
        let cases = [
            (
                r"from moto import mock_aws
@mock_aws
def a():
    x()
def b():
    y()
",
                vec![2],
            ),
            (
                r"from moto import mock_aws
@mock_aws()
class A:
    def a(self):
        x()
",
                vec![2],
            ),
            (
                r"import moto
def a():
    with moto.mock_s3():
        x()
",
                vec![3],
            ),
            (
                r"from moto import (
    mock_s3 as fake,
)
with open(p) as f, fake():
    x()
",
                vec![4],
            ),
            (
                r"import unittest
class A(unittest.TestCase):
    pass
",
                vec![2],
            ),
            (
                r"mock_policy = {'Statement': []}
policy = {'Statement': []}
",
                vec![1],
            ),
            (
                r"mock_policy = load()
policy = {'Statement': []}
",
                vec![],
            ),
            (
                r"from ours import mock_aws
@mock_aws
def a():
    x()
",
                vec![],
            ),
            (
                r"from moto import mock_aws
@cached
def a():
    x()
",
                vec![],
            ),
        ];
        for (text, lines) in cases {
            let parsed = syntax::parse(FileId(0), "a.py", text);
            let found = test_code(&parsed.code, parsed.tree.as_ref().expect("a tree"));
            let line = |s: &Span| text[..s.start as usize].matches('\n').count() + 1;
            assert_eq!(found.iter().map(line).collect::<Vec<_>>(), lines, "{text}");
        }
    }
}
