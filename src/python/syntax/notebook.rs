//! Jupyter notebooks: the code cells as one Python text (nbformat 4, "Code cells").

use serde_json::Value;

use crate::python::syntax::PythonCode;
use crate::source::{FileId, Problem, Segment, Span};

/// Joins the code cells; a text of no cells where the file is no notebook. Lines of IPython's own (`%magic`, `!command`)
/// are blanked. Where the file is not even JSON, it says so.
pub(super) fn code(file: FileId, text: &str) -> (PythonCode<'_>, Option<Problem>) {
    let mut out = JoinedCells {
        text: String::new(),
        runs: Vec::new(),
    };
    // serde_json says what is there; the places come from a scan for the same strings, in order.
    let text_of_json = text.trim_start_matches('\u{feff}');
    let mut problem = None;
    let cells: Vec<Value> = match serde_json::from_str::<Value>(text_of_json) {
        Ok(Value::Object(mut top)) => match top.remove("cells") {
            Some(Value::Array(cells)) => cells,
            _ => Vec::new(),
        },
        Ok(_) => Vec::new(),
        Err(e) => {
            let before: usize = text
                .split_inclusive('\n')
                .take(e.line().saturating_sub(1))
                .map(str::len)
                .sum();
            let mut at = (before + e.column().saturating_sub(1)).min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            problem = Some(Problem::syntax(Span::new(file, at, at), "this notebook is not JSON"));
            Vec::new()
        }
    };
    let mut at = 0;
    for cell in &cells {
        let is_code = cell.get("cell_type").and_then(Value::as_str) == Some("code");
        let lines: Vec<&str> = match cell.get("source") {
            Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(all)) => vec![all],
            _ => continue,
        };
        // Strings of the sources stand in the file in the order of the cells, whatever lies between them.
        let Some(key) = find_source_key(text, at) else { break };
        at = key;
        for line in lines {
            let Some((start, end)) = next_string(text, at) else {
                break;
            };
            at = end + 1;
            if is_code {
                out.push(line, text, start, end);
            }
        }
        if is_code && !out.text.ends_with('\n') {
            let len = out.text.len();
            out.text.push('\n');
            out.runs.push(Segment {
                at: len as u32,
                len: 1,
                src: at as u32,
                src_len: 0,
            });
        }
    }
    (PythonCode::mapped(file, out.text, out.runs), problem)
}

struct JoinedCells {
    text: String,
    runs: Vec<Segment>,
}

impl JoinedCells {
    /// Appends the JSON string whose inside is `text[start..end]` and which decodes to `line`.
    fn push(&mut self, line: &str, text: &str, start: usize, end: usize) {
        let raw = text.get(start..end).unwrap_or("");
        let magic = matches!(line.trim_start().as_bytes().first(), Some(b'%' | b'!' | b'?'));
        let begin = self.text.len();
        if magic && !line.trim_end().contains('\n') {
            self.text.push('#');
            self.text
                .push_str(line.get(1..).filter(|_| line.is_ascii()).unwrap_or("\n"));
        } else {
            self.text.push_str(line);
        }
        let bytes = raw.as_bytes();
        let (mut i, mut at) = (0, begin);
        let mut run = 0;
        while i < bytes.len() {
            if bytes[i] != b'\\' {
                i += 1;
                continue;
            }
            self.run(&mut at, start + run, i - run);
            let len = match bytes.get(i + 1) {
                Some(b'u') if raw.get(i + 6..i + 8) == Some("\\u") && is_high_surrogate(raw, i) => 12,
                Some(b'u') => 6,
                _ => 2,
            };
            let shown = self.text[at.min(self.text.len())..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
            self.runs.push(Segment {
                at: at as u32,
                len: shown as u32,
                src: (start + i) as u32,
                src_len: len as u32,
            });
            at += shown;
            i += len;
            run = i;
        }
        self.run(&mut at, start + run, bytes.len().saturating_sub(run));
    }

    fn run(&mut self, at: &mut usize, src: usize, len: usize) {
        if len > 0 {
            self.runs.push(Segment {
                at: *at as u32,
                len: len as u32,
                src: src as u32,
                src_len: len as u32,
            });
            *at += len;
        }
    }
}

fn is_high_surrogate(raw: &str, at: usize) -> bool {
    raw.get(at + 2..at + 6)
        .and_then(|h| u32::from_str_radix(h, 16).ok())
        .is_some_and(|c| (0xD800..0xDC00).contains(&c))
}

/// The byte after the next key `"source"` and its colon.
fn find_source_key(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let (start, end) = next_string(text, at)?;
        at = end + 1;
        if text.get(start..end) == Some("source") {
            let rest = text.get(at..)?;
            let skipped = rest.len() - rest.trim_start().len();
            if rest[skipped..].starts_with(':') {
                return Some(at + skipped + 1);
            }
        }
    }
}

/// The inside of the next JSON string at or after `from`.
fn next_string(text: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let start = from + memchr::memchr(b'"', bytes.get(from..)?)? + 1;
    let mut i = start;
    loop {
        i += memchr::memchr2(b'"', b'\\', bytes.get(i..)?)?;
        if bytes[i] == b'"' {
            return Some((start, i));
        }
        i += 2;
    }
}
