//! What is stepped over: blanks, comments, what is nested too deep, and template languages.

use crate::source::{Hole, HoleKind, ProblemKind, Text};
use crate::syntax::{NodeId, NodeKind, NodeStyle, placeholder};

use super::JsonParser;

/// Bytes within which an expression of a template language ends: its end is looked for at each bracket.
const MAX_EXPRESSION: usize = 4 << 10;

impl JsonParser<'_> {
    /// End of a run of characters that are no punctuation of JSON.
    pub(super) fn word_end(&self, start: usize) -> usize {
        let stop = |b: &u8| b.is_ascii_whitespace() || matches!(b, b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"');
        let rest = &self.bytes[start..];
        let first = self.src[start..].chars().next().map_or(1, char::len_utf8);
        let len = rest.iter().position(stop).unwrap_or(rest.len());
        start + len.max(first)
    }

    /// End of the token at `start`, for a problem's span.
    pub(super) fn token_end(&self, start: usize) -> usize {
        match self.bytes.get(start) {
            Some(b'{' | b'}' | b'[' | b']' | b',' | b':') => start + 1,
            Some(quote @ (b'"' | b'\'')) => {
                let line = &self.bytes[start + 1..];
                let line = &line[..memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len())];
                memchr::memchr(*quote, line).map_or(start + 1, |i| start + i + 2)
            }
            Some(_) => self.word_end(start),
            None => start,
        }
    }

    /// End of a bracket with all in it, without looking at what it holds.
    pub(super) fn skip_nested(&self) -> usize {
        let mut depth = 0usize;
        let mut at = self.at;
        while let Some(&byte) = self.bytes.get(at) {
            at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return at;
                    }
                }
                b'"' => {
                    while let Some(skip) = memchr::memchr2(b'"', b'\\', self.bytes.get(at..).unwrap_or(&[])) {
                        at += skip + 1;
                        if self.bytes[at - 1] == b'"' {
                            break;
                        }
                        at += 1;
                    }
                }
                _ => {}
            }
        }
        self.bytes.len()
    }

    /// A directive of a template language where an item or a comma should stand: stepped over.
    pub(super) fn directive(&mut self) -> bool {
        if !is_directive(&self.bytes[self.at..]) {
            return false;
        }
        let Some(end) = self.template_end() else { return false };
        self.not_evaluated(self.at, end);
        self.at = end;
        true
    }

    /// End of an expression of a template language that starts here: `{{ x }}`, `${x}`, `<%= x %>`.
    pub(super) fn template_end(&self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        if !matches!(
            rest,
            [b'{', b'{' | b'%', ..] | [b'<', b'%', ..] | [b'$' | b'%', b'{', ..]
        ) {
            return None;
        }
        let rest = &rest[..rest.len().min(MAX_EXPRESSION)];
        let line = &rest[..memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())];
        let close: &[u8] = match line {
            [b'{', b'{', ..] => b"}}",
            [b'{', b'%', ..] => b"%}",
            [b'<', b'%', ..] => b"%>",
            [b'$' | b'%', b'{', ..] => {
                let mut depth = 0usize;
                for (i, byte) in line.iter().enumerate() {
                    match byte {
                        b'{' => depth += 1,
                        b'}' if depth == 1 => return Some(self.at + i + 1),
                        b'}' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
                return None;
            }
            _ => return None,
        };
        // `{{}}` could be JSON gone wrong; `{{ "a": …` certainly is.
        let found = memchr::memmem::find(&line[2..], close)?;
        let inner = &line[2..2 + found];
        let first = inner.iter().find(|b| !b.is_ascii_whitespace())?;
        let name =
            first.is_ascii_alphanumeric() || matches!(first, b'-' | b'_' | b'.' | b'$' | b'#' | b'/' | b'=' | b'(');
        name.then_some(self.at + 2 + found + close.len())
    }

    /// End and name of a placeholder that stands here without quotes: an expression of a template language, or what
    /// [`placeholder::bare`] says.
    pub(super) fn placeholder(&self) -> Option<(usize, String)> {
        if self.hole_ahead() {
            return None;
        }
        if let Some(end) = self.template_end() {
            let written = &self.src[self.at..end];
            let name = written.trim_matches(|c: char| "{}<>%$=-#".contains(c)).trim();
            return Some((end, name.to_owned()));
        }
        if self.frames.is_empty() {
            return None;
        }
        let (length, name) = placeholder::bare(&self.src[self.at..])?;
        let end = self.at + length;
        // What reaches over a quote or a line is not one word.
        let one = !self.src[self.at..end].contains(['"', '\n']);
        one.then_some((end, name))
    }

    /// The node of a placeholder that ends at `end`.
    pub(super) fn placeholder_node(&mut self, end: usize, name: &str) -> NodeId {
        let start = std::mem::replace(&mut self.at, end);
        self.not_evaluated(start, end);
        let node = self.push(NodeKind::Str, NodeStyle::Plain, start, end);
        let hole = Hole::new(HoleKind::Input, name, self.span(start, end));
        self.tree.set_text(node, Text::hole(hole));
        node
    }

    fn not_evaluated(&mut self, start: usize, end: usize) {
        self.report(
            ProblemKind::NotEvaluated,
            start,
            end,
            "template expression is not evaluated",
        );
    }

    pub(super) fn skip_blank(&mut self) {
        loop {
            while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
                self.at += 1;
            }
            let rest = &self.bytes[self.at..];
            let end = match rest {
                [b'/', b'*', tail @ ..] => {
                    let end = memchr::memmem::find(tail, b"*/").map(|i| i + 4);
                    if end.is_none() {
                        self.problem(self.at, self.at + 2, "unclosed comment");
                    }
                    end.unwrap_or(rest.len())
                }
                [b'#', b'{', ..] if placeholder::bare(&self.src[self.at..]).is_some() => return,
                [b'/', b'/', ..] | [b'#', ..] => memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()),
                _ => return,
            };
            if !self.comments {
                self.comments = true;
                let line = &self.bytes[self.at..self.at + end];
                let to = memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len());
                self.problem(self.at, self.at + to, "JSON with comments, which AWS rejects");
            }
            self.at += end;
        }
    }
}

/// Whether a directive of a template language begins here (`{% if x %}`, `%{ endif }`, `{{ range .x }}`): what it decides
/// about may be there or not.
pub fn is_directive(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 8] = [b"{%", b"%{", b"{{#", b"{{/", b"{{-", b"{{ if", b"{{ end", b"{{ range"];
    STARTS.iter().any(|start| text.starts_with(start))
}
