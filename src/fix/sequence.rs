//! The elements of a list, an object or a block, and how one is taken out or put in without touching what is beside it.
//!
//! An element is a list's item (in a YAML block with its dash) or an object's key with its value. What is put in is laid out
//! like the element that it stands beside: on a line of its own with the same indentation, or on the same line.

use std::ops::Range;

use super::code::{CodeShape, EditableCode, Syntax};

/// What stands between two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Comma,
    /// An HCL object: a comma or a line break.
    CommaOrLine,
    /// A YAML block, an HCL block.
    Line,
}

/// A change of a code's text.
pub(super) type Splice = (Range<usize>, String);

#[derive(Debug)]
pub(super) struct ElementSequence<'c> {
    code: &'c EditableCode,
    elements: &'c [Range<usize>],
    joint: Separator,
    shape: CodeShape,
    dash: bool,
}

/// What a part is as a series: found out once, since many are asked for an element each.
#[derive(Debug)]
pub(super) struct Layout {
    elements: Vec<Range<usize>>,
    joint: Separator,
    dash: bool,
}

impl Layout {
    fn new(code: &EditableCode, container: usize) -> Option<Self> {
        let part = &code.parts[container];
        let ranges = part.children.iter().map(|c| code.parts[*c].range.clone());
        let mut elements: Vec<Range<usize>> = ranges.collect();
        let mut dash = false;
        match part.shape {
            CodeShape::List | CodeShape::Tuple => {}
            CodeShape::Object | CodeShape::Body => {
                let pairs = elements.chunks_exact(2);
                if !pairs.remainder().is_empty() {
                    return None;
                }
                elements = pairs.map(|p| p[0].start..p[1].end.max(p[0].end)).collect();
            }
            CodeShape::Scalar | CodeShape::Other => return None,
        }
        let open = code.is_bracketed(container);
        let joint = match (code.syntax, part.shape) {
            (_, CodeShape::Body) => Separator::Line,
            (Syntax::Hcl, CodeShape::Object) => Separator::CommaOrLine,
            (Syntax::Yaml, _) if !open => Separator::Line,
            _ if open => Separator::Comma,
            // A tuple without parentheses, a comprehension.
            _ => return None,
        };
        if joint == Separator::Line && part.shape == CodeShape::List {
            dash = true;
            for e in &mut elements {
                let before = code.text[..e.start].trim_end_matches(' ');
                before.strip_suffix('-')?;
                e.start = before.len() - 1;
            }
        }
        // In order and apart: what aliases and broken text leave is not to be edited.
        let apart = elements.windows(2).all(|w| w[0].end <= w[1].start);
        apart.then_some(Self { elements, joint, dash })
    }
}

impl<'c> ElementSequence<'c> {
    /// The elements of the part `container`; `None` where it is not one that can be changed.
    pub(super) fn new(code: &'c EditableCode, container: usize) -> Option<Self> {
        let part = &code.parts[container];
        let layout = part.layout.get_or_init(|| Layout::new(code, container).map(Box::new));
        layout.as_ref().map(|layout| Self {
            code,
            elements: &layout.elements,
            joint: layout.joint,
            shape: part.shape,
            dash: layout.dash,
        })
    }

    /// Takes the n-th element out. `None` for the only one: what an empty list means is another matter.
    pub(super) fn remove(&self, n: usize) -> Option<Vec<Splice>> {
        let element = self.elements.get(n)?.clone();
        if self.elements.len() < 2 || (self.shape == CodeShape::Tuple && self.elements.len() == 2) {
            return None;
        }
        let previous = n.checked_sub(1).map(|p| self.elements[p].clone());
        let after = self.after(element.end);
        let mut splices = Vec::new();
        if let Some(line) = self.line_before(element.start).filter(|_| after.ends_line) {
            // An element that owns its lines goes with them and with the comment after it.
            splices.push((line..after.line_end, String::new()));
            if let (Some(p), None) = (previous, after.comma)
                && let Some(comma) = self.after(p.end).comma
            {
                splices.push((comma..comma + 1, String::new()));
            }
        } else if let Some(next) = self.elements.get(n + 1) {
            let gap = &self.code.text[element.end..next.start];
            if !self.is_plain(gap) {
                return None;
            }
            splices.push((element.start..next.start, String::new()));
        } else {
            let previous = previous?;
            let gap = &self.code.text[previous.end..element.start];
            if self.joint == Separator::Line || !self.is_plain(gap) {
                return None;
            }
            splices.push((previous.end..element.end, String::new()));
        }
        Some(splices)
    }

    /// Puts `texts` in the place of the n-th element.
    pub(super) fn replace(&self, n: usize, texts: &[String]) -> Option<Vec<Splice>> {
        let element = self.elements.get(n)?.clone();
        let between = match (self.joint, self.own_indent(element.start)) {
            (Separator::Line, _) => format!("\n{}", self.column(element.start)),
            (_, Some(indent)) => format!(",\n{indent}"),
            (_, None) => ", ".to_owned(),
        };
        Some(vec![(element, self.with_dashes(texts).join(&between))])
    }

    /// Puts `texts` after the n-th element.
    pub(super) fn insert_after(&self, n: usize, texts: &[String]) -> Option<Vec<Splice>> {
        let element = self.elements.get(n)?.clone();
        let after = self.after(element.end);
        let texts = self.with_dashes(texts);
        if self.joint == Separator::Line {
            let between = format!("\n{}", self.column(element.start));
            let new = format!("{between}{}", texts.join(&between));
            return after.ends_line.then(|| vec![(after.line_end..after.line_end, new)]);
        }
        let Some(indent) = self.own_indent(element.start).filter(|_| after.ends_line) else {
            let new = format!(", {}", texts.join(", "));
            return Some(vec![(element.end..element.end, new)]);
        };
        let comma = if self.commas() { "," } else { "" };
        let between = format!("{comma}\n{indent}");
        let joined = texts.join(&between);
        Some(match after.comma {
            Some(_) => vec![(after.line_end..after.line_end, format!("\n{indent}{joined},"))],
            None if after.line_end == element.end => {
                vec![(element.end..element.end, format!("{between}{joined}"))]
            }
            None => vec![
                (element.end..element.end, comma.to_owned()),
                (after.line_end..after.line_end, format!("\n{indent}{joined}")),
            ],
        })
    }

    /// Puts `text` before the n-th element.
    pub(super) fn insert_before(&self, n: usize, text: &str) -> Option<Vec<Splice>> {
        let at = self.elements.get(n)?.start;
        if self.shape == CodeShape::Body {
            self.line_before(at)?;
        }
        let text = &self.with_dashes(&[text.to_owned()])[0];
        let new = match (self.joint, self.own_indent(at)) {
            (Separator::Line, _) => format!("{text}\n{}", self.column(at)),
            (_, Some(indent)) => {
                let comma = if self.commas() { "," } else { "" };
                format!("{text}{comma}\n{indent}")
            }
            (_, None) => format!("{text}, "),
        };
        Some(vec![(at..at, new)])
    }

    /// Blanks that bring a further line below the element at `at`.
    pub(super) fn column(&self, at: usize) -> String {
        column(&self.code.text, at)
    }

    /// Whether elements are parted by commas.
    fn commas(&self) -> bool {
        let parted = |w: &[Range<usize>]| self.code.text[w[0].end..w[1].start].contains(',');
        match self.joint {
            Separator::Comma => true,
            Separator::CommaOrLine => self.elements.windows(2).any(parted),
            Separator::Line => false,
        }
    }

    fn with_dashes(&self, texts: &[String]) -> Vec<String> {
        let dash = if self.dash { "- " } else { "" };
        texts.iter().map(|t| format!("{dash}{t}")).collect()
    }

    /// The end of the line before the element at `at`, where nothing else stands before it on its own line.
    fn line_before(&self, at: usize) -> Option<usize> {
        let before = self.code.text[..at].trim_end_matches([' ', '\t']);
        let line = before.strip_suffix('\n')?;
        Some(line.strip_suffix('\r').unwrap_or(line).len())
    }

    fn own_indent(&self, at: usize) -> Option<String> {
        self.line_before(at).map(|_| self.column(at))
    }

    /// Nothing but blanks and a comma.
    fn is_plain(&self, gap: &str) -> bool {
        gap.chars().all(|c| c.is_whitespace() || c == ',')
    }

    /// What follows an element on its line.
    fn after(&self, end: usize) -> After {
        let text = &self.code.text;
        let blanks = |at: usize| at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
        let at = blanks(end);
        let comma = (self.joint != Separator::Line && text[at..].starts_with(',')).then_some(at);
        let at = blanks(comma.map_or(at, |c| c + 1));
        let rest = text[at..].split(['\n', '\r']).next().unwrap_or("");
        let comment = match self.code.syntax {
            Syntax::Json => rest.starts_with("//"),
            Syntax::Hcl => rest.starts_with("//") || rest.starts_with('#'),
            Syntax::Yaml | Syntax::Python => rest.starts_with('#'),
        };
        After {
            comma,
            ends_line: comment || rest.is_empty(),
            line_end: if comment { at + rest.trim_end().len() } else { at },
        }
    }
}

/// See [`ElementSequence::after`].
struct After {
    comma: Option<usize>,
    /// Nothing but a comment follows on the line.
    ends_line: bool,
    /// Where the line ends, its comment included; where more follows, where that begins.
    line_end: usize,
}

/// The indentation of the line of `at` where nothing else stands before `at`, else as many blanks as there are columns.
fn column(text: &str, at: usize) -> String {
    let line = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let before = text[line..at].trim_start_matches('\u{feff}');
    if before.trim().is_empty() {
        before.to_owned()
    } else {
        " ".repeat(before.chars().count())
    }
}

/// The indentation of the line of `at`.
pub(super) fn indentation(text: &str, at: usize) -> &str {
    let line = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let rest = &text[line..at];
    &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()]
}
