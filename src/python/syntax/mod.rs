//! Python, by tree-sitter: source text to a syntax tree, with the way back to the file.
//!
//! **Invariant:** the time and memory of a parse are bounded by the length of the text, whatever it holds: longer files,
//! files that make the parser take too many steps, and files that its scanner has no room for are a [`Problem`] and have no
//! tree. The tree is in error-recovered
//! form; nothing outside this folder and the walker of `formats::python` sees it.

mod code;
mod kinds;
mod notebook;

pub use code::PythonCode;
pub use kinds::{Field, K, field, kind};
pub use tree_sitter::{Node, Tree};

use std::collections::HashSet;
use std::ops::ControlFlow;

use tree_sitter::{ParseOptions, Parser};

use crate::source::{FileId, Problem, ProblemKind, Span, Text};

/// Longest Python source that is parsed, in bytes; the longest in CPython's own tree has 0.7 MB.
const MAX_BYTES: usize = 8 << 20;

/// How often the parser may report progress (it does so about every hundred steps) for each byte of the text, and on top.
const STEPS_PER_BYTE: usize = 1;
const STEPS_FREE: usize = 100_000;

/// How many different indentations a text may have. The scanner of tree-sitter-python writes its state into 1,024 bytes
/// (`tree_sitter_python_external_scanner_serialize`): 2 for itself, 1 for each of up to 255 open strings, 2 for each open
/// indentation; tree-sitter aborts the process where that is more (`ts_parser__external_scanner_serialize`). Open
/// indentations grow inward, so no text has more of them open than it has different ones. CPython allows 100 levels.
const MAX_INDENTATIONS: usize = (1024 - 2 - 255) / 2 - 1;

/// What was understood of one file.
pub struct Parsed<'a> {
    pub code: PythonCode<'a>,
    pub tree: Option<Tree>,
    pub problems: Vec<Problem>,
}

/// Parses a `.py` file or, by its name, the code cells of a notebook.
pub fn parse<'a>(file: FileId, path: &str, text: &'a str) -> Parsed<'a> {
    if !path.ends_with(".ipynb") {
        return parse_code(PythonCode::plain(file, text));
    }
    let (code, problem) = notebook::code(file, text);
    let mut parsed = parse_code(code);
    parsed.problems.extend(problem);
    parsed
}

/// Parses Python that is a string of another language.
pub fn parse_text(file: FileId, text: &Text) -> Parsed<'static> {
    parse_code(PythonCode::embedded(file, text))
}

fn parse_code(code: PythonCode<'_>) -> Parsed<'_> {
    let mut problems = Vec::new();
    let tree = tree(&code, &mut problems);
    if let Some(tree) = tree.as_ref().filter(|t| t.root_node().has_error()) {
        problems.extend(first_error(tree, &code));
    }
    Parsed { code, tree, problems }
}

fn tree(code: &PythonCode<'_>, problems: &mut Vec<Problem>) -> Option<Tree> {
    let text = code.text();
    let start = Span::new(code.file(), 0, 0);
    if text.len() > MAX_BYTES {
        problems.push(Problem::new(
            ProblemKind::Input,
            start,
            format!("the Python source is too large to parse: {} MB", text.len() >> 20),
        ));
        return None;
    }
    if indentations(text) > MAX_INDENTATIONS {
        problems.push(Problem::new(
            ProblemKind::Input,
            start,
            "the Python source is nested too deeply to parse",
        ));
        return None;
    }
    let mut parser = Parser::new();
    parser
        .set_language(&kinds::language())
        .expect("tree-sitter-python is built for the tree-sitter in Cargo.lock");
    let bytes = text.as_bytes();
    let mut steps = STEPS_FREE + bytes.len() * STEPS_PER_BYTE;
    let mut progress = |_: &tree_sitter::ParseState| {
        steps = steps.saturating_sub(1);
        if steps == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let tree = parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
    if tree.is_none() {
        problems.push(Problem::new(
            ProblemKind::Input,
            start,
            "the Python source is too complex to parse",
        ));
    }
    tree
}

/// How many different indentations the scanner may see, counted up to one more than [`MAX_INDENTATIONS`]: what stands before
/// the first character of a line that is not blank, a tab counting eight and modulo 2^16, as the scanner has it. A backslash
/// at the end of such a blank goes on in the next line, so each of them counts as an indentation of its own.
fn indentations(text: &str) -> usize {
    let mut seen = HashSet::new();
    let mut continued = 0;
    for line in text.split('\n') {
        let mut width: u16 = 0;
        for c in line.bytes() {
            match c {
                b' ' => width = width.wrapping_add(1),
                b'\t' => width = width.wrapping_add(8),
                b'\r' | b'\x0c' => width = 0,
                c => {
                    seen.insert(width);
                    continued += usize::from(c == b'\\');
                    break;
                }
            }
        }
        if seen.len() + continued > MAX_INDENTATIONS {
            break;
        }
    }
    seen.len() + continued
}

/// The first place, in the order of the text, that does not fit the grammar: one problem a file, for what follows is
/// mostly its consequence.
fn first_error(tree: &Tree, code: &PythonCode<'_>) -> Option<Problem> {
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_missing() {
            let what = node.kind();
            return Some(Problem::syntax(
                code.span(node.start_byte()..node.start_byte()),
                format!("invalid Python: `{what}` is missing"),
            ));
        }
        if node.is_error() {
            return Some(error_at(node, code));
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        loop {
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}

/// The token to point at: tree-sitter's error nodes start where its last good rule ended, often lines before the culprit.
/// The part of the node's first line that holds something is what a person would look at.
fn error_at(node: Node<'_>, code: &PythonCode<'_>) -> Problem {
    let range = node.byte_range();
    let text = code.text().get(range.clone()).unwrap_or("");
    let line = text.lines().next().unwrap_or("");
    let end = range.start + line.trim_end().len();
    let shown: String = line.trim_end().chars().take(30).collect();
    let message = match unclosed(text) {
        Some((at, c)) => {
            let at = range.start + at;
            return Problem::syntax(code.span(at..at + 1), format!("invalid Python: unclosed `{c}`"));
        }
        None if shown.is_empty() => "invalid Python".to_owned(),
        None => format!("invalid Python: `{shown}`"),
    };
    Problem::syntax(code.span(range.start..end.max(range.start)), message)
}

/// The last bracket of `text` that nothing closes, strings left out roughly.
fn unclosed(text: &str) -> Option<(usize, char)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut quote: Option<char> = None;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q || c == '\n' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => open.push((i, c)),
            (None, ')' | ']' | '}') => {
                open.pop();
            }
            _ => {}
        }
    }
    open.last().copied()
}
