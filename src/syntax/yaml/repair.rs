//! Same-length repairs of YAML that granit cannot read: no byte is added or removed, so every span stays exact.
//!
//! 1. A quoted scalar whose later lines are indented too little (`!Sub '{` … `}'`), which libyaml and so AWS accept: its
//!    line breaks become blanks. No problem.
//! 2. A template of another language (Jinja, Helm, ERB, Terraform): directives become empty lines, expressions a word of the same length
//!    whose text is read back as a hole. One [`ProblemKind::NotEvaluated`].
//! 3. Anything else: the line is blanked, at most [`MAX_BLANKED`] times, and the first place is a problem.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use crate::source::{FileId, Hole, HoleKind, Piece, Problem, ProblemKind, Span, Text};
use crate::syntax::{Tree, placeholder};

use super::{Breakage, is_limit};

/// How many broken lines are blanked before the rest of a document is given up.
const MAX_BLANKED: usize = 4;
/// How many quotes and brackets are fixed in one file, and in one of more than [`LARGE`] bytes: each costs a reading.
const MAX_MENDED: usize = 32;
const MAX_MENDED_LARGE: usize = 4;
const LARGE: usize = 1 << 20;
/// How far a template expression reaches.
const MAX_EXPRESSION: usize = 2000;

pub(super) struct Repair<'t> {
    file: FileId,
    original: &'t str,
    source: Cow<'t, str>,
    problems: Vec<Problem>,
    /// Starts of quoted scalars whose line breaks were made blanks.
    joined: Vec<usize>,
    /// Template expressions that were masked, in order.
    masked: Vec<Range<usize>>,
    /// What was broken and is blank now, in the order of the repairs.
    lost: Vec<Range<usize>>,
    templates: bool,
    blanked: usize,
    repairs: usize,
}

impl<'t> Repair<'t> {
    pub(super) fn new(file: FileId, original: &'t str) -> Self {
        Self {
            file,
            original,
            source: Cow::Borrowed(original),
            problems: Vec::new(),
            joined: Vec::new(),
            masked: Vec::new(),
            lost: Vec::new(),
            templates: false,
            blanked: 0,
            repairs: 0,
        }
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn original(&self) -> &str {
        self.original
    }

    /// Whether the quoted scalar at `range` lost its line breaks to a repair.
    pub(super) fn joined(&self, range: &Range<usize>) -> bool {
        self.joined.contains(&range.start)
    }

    pub(super) fn lost_ranges(&self) -> &[Range<usize>] {
        &self.lost
    }

    /// Changes the source so that reading may get further; `false` when there is nothing left to try.
    pub(super) fn try_repair(&mut self, error: &ScanError, broken: &Breakage) -> bool {
        if is_limit(error.kind()) {
            return false;
        }
        if is_quote(error.kind()) && self.may_repair() {
            self.repairs += 1;
            match self.quoted_scalar(broken) {
                Some(Quoted::Closed(range)) => {
                    self.joined.push(range.start);
                    self.overwrite(range, |b| if matches!(b, b'\n' | b'\r') { b' ' } else { b });
                    return true;
                }
                Some(Quoted::Unclosed(range)) if !self.is_template() => {
                    let span = Span::new(self.file, range.start, range.start + 1);
                    self.problems.push(Problem::syntax(span, "unclosed quote"));
                    self.blank_out(range);
                    return true;
                }
                _ => {}
            }
        }
        if self.is_template() {
            self.templates = true;
            self.mask_templates();
            return true;
        }
        if self.may_repair()
            && let Some(range) = self.placeholder(broken)
        {
            self.repairs += 1;
            self.mask(range);
            return true;
        }
        if self.may_repair()
            && let Some(range) = self.unclosed_flow(broken)
        {
            self.repairs += 1;
            let opener = self.original.as_bytes().get(range.start).map_or('[', |b| *b as char);
            let span = Span::new(self.file, range.start, range.start + 1);
            self.problems
                .push(Problem::syntax(span, format!("unclosed `{opener}`")));
            self.blank_out(range);
            return true;
        }
        if is_end_of_input(error.kind()) {
            // All there is has been understood.
            return false;
        }
        // Small files may lose a line or two, larger ones up to one in twenty.
        let lines = memchr::memchr_iter(b'\n', self.source.as_bytes()).count();
        if self.blanked >= MAX_BLANKED.min(1 + lines / 10) {
            return false;
        }
        self.blanked += 1;
        if self.blanked == 1 {
            let problem = self.problem(error, broken);
            self.problems.push(problem);
        }
        let Some(line) = self.line_to_blank(broken) else {
            return false;
        };
        self.blank_out(line);
        true
    }

    pub(super) fn finish(self, mut tree: Tree) -> Tree {
        let mut problems = self.problems;
        // With a line blanked, what else is broken is mostly a consequence.
        if problems.is_empty() || self.blanked == 0 {
            problems.append(&mut tree.problems);
        } else {
            let rest = std::mem::take(&mut tree.problems);
            problems.extend(rest.into_iter().filter(|p| p.kind != ProblemKind::Syntax));
        }
        problems.sort_by_key(|p| (p.span.start, p.span.end));
        tree.problems = problems;
        tree
    }

    pub(super) fn problem(&self, error: &ScanError, broken: &Breakage) -> Problem {
        let bytes = self.original.as_bytes();
        let at_end = self.source.get(broken.at..).is_some_and(|rest| rest.trim().is_empty());
        let (start, message) = match broken.open {
            Some(open) if at_end || is_end_of_input(error.kind()) => {
                let what = bytes.get(open).map_or('[', |b| *b as char);
                (open, format!("unclosed `{what}`"))
            }
            _ => {
                let mut at = broken.at;
                // A mark at the end of a line is about that line.
                while at > 0 && (at_end || at == self.source.len()) && bytes[at - 1].is_ascii_whitespace() {
                    at -= 1;
                }
                if at_end {
                    at = self.original[..at].rfind('\n').map_or(0, |i| i + 1);
                    at += bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
                }
                (at, error.kind().to_string())
            }
        };
        let rest = self.original.get(start..).unwrap_or("");
        let line = rest.lines().next().unwrap_or("").trim_end();
        let len = if line.is_empty() { 0 } else { line.len() };
        Problem::syntax(Span::new(self.file, start, start + len), message)
    }

    /// `text` with the template expressions that were masked in it as holes.
    pub(super) fn unmask(&self, text: Text, span: Span) -> Text {
        let (from, to) = (span.start as usize, span.end as usize);
        let first = self.masked.partition_point(|m| m.start < from);
        let inside = self.masked[first..].iter().take_while(|m| m.end <= to);
        let mut inside = inside.peekable();
        if inside.peek().is_none() {
            return text;
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut done = 0;
        let len = text.len();
        for mask in inside {
            // Masks lie on one line, so each is one run of the decoded text.
            let [Piece::Lit(lit)] = text.pieces() else { return text };
            let Some(start) = lit.map.segments.iter().find_map(|s| {
                let (a, b) = (s.src as usize, (s.src + s.src_len) as usize);
                (s.len == s.src_len && a <= mask.start && mask.end <= b).then(|| s.at as usize + mask.start - a)
            }) else {
                continue;
            };
            let name = self.original[mask.clone()].trim_matches(['{', '}', '%', '<', '>', '=', '-', '@', ' ']);
            let place = Span::new(self.file, mask.start, mask.end);
            pieces.extend(text.slice(done..start).pieces().iter().cloned());
            pieces.extend(
                Text::hole(Hole::new(HoleKind::Input, name, place))
                    .pieces()
                    .iter()
                    .cloned(),
            );
            done = start + mask.len();
        }
        pieces.extend(text.slice(done..len).pieces().iter().cloned());
        Text::from_pieces(pieces)
    }

    fn may_repair(&self) -> bool {
        let most = if self.original.len() > LARGE {
            MAX_MENDED_LARGE
        } else {
            MAX_MENDED
        };
        self.repairs < most
    }

    fn is_template(&self) -> bool {
        !self.templates && ["{{", "{%", "%{", "<%"].iter().any(|mark| self.original.contains(mark))
    }

    /// The quoted scalar at which reading stopped.
    fn quoted_scalar(&self, broken: &Breakage) -> Option<Quoted> {
        let bytes = self.source.as_bytes();
        let open = self.opening_quote(broken)?;
        let quote = bytes[open];
        let mut at = open + 1;
        let eol = line_end(bytes, open);
        let close = loop {
            at += match memchr::memchr2(quote, b'\\', bytes.get(at..)?) {
                Some(i) => i,
                None => return Some(Quoted::Unclosed(open..eol)),
            };
            match (quote, bytes[at]) {
                (b'"', b'\\') => at += 2,
                (b'\'', b'\\') => at += 1,
                (b'\'', _) if bytes.get(at + 1) == Some(&b'\'') => at += 2,
                _ => break at,
            }
            if at >= bytes.len() {
                return Some(Quoted::Unclosed(open..eol));
            }
        };
        let after = bytes[close + 1..].iter().find(|b| !matches!(b, b' ' | b'\t'));
        let ends_well = matches!(after, None | Some(b'\n' | b'\r' | b'#' | b',' | b']' | b'}' | b':'));
        if close < eol {
            return None;
        }
        Some(if ends_well {
            Quoted::Closed(open..close)
        } else {
            Quoted::Unclosed(open..eol)
        })
    }

    /// The first quote after the last good token that can open a scalar.
    fn opening_quote(&self, broken: &Breakage) -> Option<usize> {
        let bytes = self.source.as_bytes();
        let mut at = broken.last_end;
        loop {
            at += memchr::memchr2(b'"', b'\'', bytes.get(at..broken.at.max(at))?)?;
            let before = at.checked_sub(1).map(|i| bytes[i]);
            if matches!(
                before,
                None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'[' | b'{' | b',' | b':')
            ) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// From a bracket that lacks its partner to the end of its line: reading stopped on a later line that is indented as
    /// if the bracket had been closed.
    fn unclosed_flow(&self, broken: &Breakage) -> Option<Range<usize>> {
        let bytes = self.source.as_bytes();
        let open = broken.open?;
        let line_of = |at: usize| bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let (open_line, at_line) = (line_of(open), line_of(broken.at));
        let indent = |line: usize| bytes[line..].iter().take_while(|b| **b == b' ').count();
        let closes = matches!(
            bytes.get(at_line + indent(at_line)),
            None | Some(b']' | b'}' | b'\n' | b'\r')
        );
        let outside =
            at_line > open_line && indent(at_line) <= indent(open_line) && open > open_line + indent(open_line);
        (outside && !closes).then(|| open..line_end(bytes, open))
    }

    /// The line that holds the broken place; the one before it where that is blank.
    fn line_to_blank(&self, broken: &Breakage) -> Option<Range<usize>> {
        let bytes = self.source.as_bytes();
        let mut at = broken.at.min(bytes.len());
        loop {
            let start = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            let end = line_end(bytes, at.max(start));
            if !bytes[start..end].iter().all(u8::is_ascii_whitespace) {
                return Some(start..end);
            }
            at = start.checked_sub(1)?;
        }
    }

    /// A placeholder that begins with a character that no scalar may begin with (`%s`, `@ARN@`), where reading stopped.
    fn placeholder(&self, broken: &Breakage) -> Option<Range<usize>> {
        let rest = self.source.get(broken.at..)?;
        if !rest.starts_with(['%', '@', '`']) {
            return None;
        }
        let (length, _) = placeholder::bare(rest)?;
        let one_line = !rest[..length].contains('\n');
        one_line.then_some(broken.at..broken.at + length)
    }

    /// Makes a placeholder a word of the same length.
    fn mask(&mut self, range: Range<usize>) {
        self.overwrite(range.clone(), |_| b'x');
        let at = self.masked.partition_point(|m| m.start < range.start);
        self.masked.insert(at, range);
    }

    fn mask_templates(&mut self) {
        let text = self.original;
        let bytes = text.as_bytes();
        let mut found: Vec<(Range<usize>, bool)> = Vec::new();
        let mut at = 0;
        while let Some(i) = memchr::memchr2(b'{', b'<', &bytes[at..]) {
            at += i;
            if let Some(directive) = terraform_directive(bytes, at) {
                at = directive.end;
                found.push((directive, false));
                continue;
            }
            let (close, expression): (&[u8], bool) = match (bytes[at], bytes.get(at + 1)) {
                (b'{', Some(b'{')) => (b"}}", true),
                (b'{', Some(b'%')) => (b"%}", false),
                (b'{', Some(b'#')) => (b"#}", false),
                (b'<', Some(b'%')) => (b"%>", bytes.get(at + 2) == Some(&b'=')),
                _ => {
                    at += 1;
                    continue;
                }
            };
            let window = &bytes[at..bytes.len().min(at + MAX_EXPRESSION)];
            match memchr::memmem::find(window, close) {
                Some(len) => {
                    let end = at + len + 2;
                    let alone = is_alone_on_lines(bytes, at, end);
                    let one_line = !bytes[at..end].contains(&b'\n');
                    found.push((
                        at..end,
                        expression && one_line && (!alone || in_block_scalar(bytes, at)),
                    ));
                    at = end;
                }
                None => at += 2,
            }
        }
        if let Some((first, _)) = found.first() {
            let span = Span::new(self.file, first.start, first.end);
            let message = "template expressions are not evaluated";
            self.problems
                .push(Problem::new(ProblemKind::NotEvaluated, span, message));
        }
        for (range, expression) in found {
            if expression {
                self.overwrite(range.clone(), |_| b'x');
                self.masked.push(range);
            } else {
                self.blank(range.clone());
                self.empty_lines(range);
            }
        }
    }

    /// Where nothing else stands on the lines of `range`, which is blank, makes them lines without blanks: those before
    /// the first line of a block scalar must not be longer than its indentation.
    fn empty_lines(&mut self, range: Range<usize>) {
        let bytes = self.source.as_bytes();
        if is_alone_on_lines(bytes, range.start, range.end) {
            let start = bytes[..range.start]
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |i| i + 1);
            let end = line_end(bytes, range.end);
            self.overwrite(start..end, |b| if b == b'\r' { b } else { b'\n' });
        }
    }

    /// Blanks what is broken, but for the blanks around it.
    fn blank_out(&mut self, range: Range<usize>) {
        let text = self.source.get(range.clone()).unwrap_or_default();
        let start = range.start + text.len() - text.trim_start().len();
        let end = start + text.trim().len();
        self.lost.push(start..end);
        self.blank(range);
    }

    fn blank(&mut self, range: Range<usize>) {
        self.overwrite(range, |b| if matches!(b, b'\n' | b'\r') { b } else { b' ' });
    }

    /// Replaces bytes; a range is always whole characters, and what is written is ASCII or the byte that was there.
    fn overwrite(&mut self, range: Range<usize>, with: impl Fn(u8) -> u8) {
        let mut bytes = std::mem::take(&mut self.source).into_owned().into_bytes();
        for byte in &mut bytes[range] {
            *byte = with(*byte);
        }
        self.source = match String::from_utf8(bytes) {
            Ok(source) => Cow::Owned(source),
            Err(_) => Cow::Borrowed(self.original),
        };
    }
}

enum Quoted {
    /// From the opening to the closing quote.
    Closed(Range<usize>),
    /// From the opening quote to the end of its line.
    Unclosed(Range<usize>),
}

fn is_quote(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidQuotedScalarIndent
            | ErrorKind::UnclosedQuotedScalar
            | ErrorKind::DocumentIndicatorInQuotedScalar
            | ErrorKind::InvalidFlowScalarIndent
    )
}

/// Errors that say no more than that the input ended early.
fn is_end_of_input(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::UnexpectedEofFlowSequence
            | ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofImplicitFlowMapping
            | ErrorKind::UnexpectedEof
    )
}

/// A directive of Terraform's templates whose brace is at `brace`: `%{ for x in xs ~}`. A format's `%{name}` does not have the
/// line for itself.
fn terraform_directive(bytes: &[u8], brace: usize) -> Option<Range<usize>> {
    let start = brace
        .checked_sub(1)
        .filter(|at| bytes[*at] == b'%' && bytes[brace] == b'{')?;
    let line = &bytes[start..line_end(bytes, start)];
    let end = start + line.iter().rposition(|b| *b == b'}')? + 1;
    is_alone_on_lines(bytes, start, end).then_some(start..end)
}

/// Whether nothing else stands on the line or lines of `start..end`.
fn is_alone_on_lines(bytes: &[u8], start: usize, end: usize) -> bool {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let before = bytes[..start].iter().rev().find(|b| !blank(b));
    let after = bytes[end..].iter().find(|b| !blank(b));
    matches!(before, None | Some(b'\n' | b'\r')) && matches!(after, None | Some(b'\n' | b'\r'))
}

/// How many lines are looked back at for the start of a block scalar.
const MAX_LINES_BACK: usize = 300;

/// Whether the line of `at` is text of a block scalar (`Description: >`).
fn in_block_scalar(bytes: &[u8], at: usize) -> bool {
    let mut end = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let mut indent = at - end;
    for _ in 0..MAX_LINES_BACK {
        let Some(stop) = end.checked_sub(1) else { return false };
        end = bytes[..stop].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let line = bytes[end..stop].trim_ascii_end();
        let own = line.iter().take_while(|b| **b == b' ').count();
        if own >= indent || own == line.len() {
            continue;
        }
        indent = own;
        if opens_block_scalar(line) {
            return true;
        }
        if indent == 0 {
            return false;
        }
    }
    false
}

/// Whether a line ends with the header of a block scalar: `|`, `>-`, `|2+`.
fn opens_block_scalar(line: &[u8]) -> bool {
    let header = line.iter().rposition(|b| !matches!(b, b'-' | b'+' | b'0'..=b'9'));
    header.is_some_and(|i| {
        matches!(line[i], b'|' | b'>')
            && line.len() - i <= 3
            && i.checked_sub(1).is_some_and(|before| line[before] == b' ')
    })
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    at + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())
}
