//! From what a remedy says to the edits that make it.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;
use serde_json::Value;

use super::code::{CodeShape, EditableCode, Syntax};
use super::render::{self, QuoteStyle};
use super::sequence::{ElementSequence, Splice, indentation};
use crate::finding::{EXPRESSION, Edit, Fix, Offered, Remedy, RemedyStep};
use crate::source::{FileId, Sources, Span};
use crate::triage::{Report, Status};

/// Lists with more items than this are not written on one line where there was no list before.
const MAX_ON_A_LINE: usize = 3;

/// How deep strings inside strings are followed.
const MAX_DEPTH: usize = 4;

/// Fills in [`crate::triage::ReportedFinding::fixes`]: every remedy that can be written exactly, in the order of the finding.
pub fn write(sources: &Sources, report: &mut Report) {
    let reported = ReportedPlaces::new(report);
    let of_file = report.findings.par_chunk_by_mut(|a, b| a.span().file == b.span().file);
    of_file.for_each(|findings| {
        let mut writer = Writer::new(sources);
        for f in findings {
            let remedies = f.finding.remedies.iter().filter(|r| reported.allows(r.offered));
            f.fixes = remedies.filter_map(|r| writer.fix(r)).collect();
        }
    });
}

/// The places that findings are about which someone has to act on.
struct ReportedPlaces(Vec<Span>);

impl ReportedPlaces {
    fn new(report: &Report) -> Self {
        let repeats = |rule: &str| rule.starts_with("redundant-") || rule.starts_with("duplicate-");
        let findings = report
            .findings
            .iter()
            .filter(|f| f.status == Status::New && !repeats(f.rule()));
        let mut spans: Vec<Span> = findings.flat_map(|f| f.finding.labels.iter().map(|l| l.span)).collect();
        spans.sort_unstable();
        spans.dedup();
        Self(spans)
    }

    fn allows(&self, offered: Offered) -> bool {
        let is_reported = |place: Span| {
            let from = self
                .0
                .partition_point(|s| (s.file, s.start) < (place.file, place.start));
            let after = self.0[from..]
                .iter()
                .take_while(|s| s.file == place.file && s.start < place.end);
            after.into_iter().any(|s| place.contains(*s))
        };
        match offered {
            Offered::Always => true,
            Offered::UnlessReported(place) => !is_reported(place),
            Offered::IfReported(place) => is_reported(place),
        }
    }
}

/// Cuts files into parts when they are first asked for.
pub(super) struct Writer<'s> {
    sources: &'s Sources,
    files: BTreeMap<FileId, Option<Layers>>,
}

/// A file, and the documents in its strings that were asked for so far.
struct Layers {
    codes: Vec<EditableCode>,
    /// Which string of which code is which code.
    embedded: BTreeMap<(usize, usize), Option<usize>>,
}

/// A part of a code.
#[derive(Clone, Copy)]
struct CodeSpot<'c> {
    code: &'c EditableCode,
    part: usize,
}

impl<'s> Writer<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        Self {
            sources,
            files: BTreeMap::new(),
        }
    }

    /// `None` where one of the changes cannot be written.
    pub(super) fn fix(&mut self, remedy: &Remedy) -> Option<Fix> {
        let mut edits: Vec<Edit> = Vec::new();
        for change in &remedy.changes {
            edits.extend(self.edits(change)?);
        }
        for e in edits.iter_mut().filter(|e| e.text.contains('\n')) {
            let text = self.sources.text(e.span.file);
            if text.find('\n').is_some_and(|i| text[..i].ends_with('\r')) {
                e.text = e.text.replace('\n', "\r\n");
            }
        }
        edits.retain(|e| !(e.span.is_empty() && e.text.is_empty()));
        edits.sort();
        let apart = edits.windows(2).all(|w| are_independent(w[0].span, w[1].span));
        (apart && !edits.is_empty()).then(|| Fix {
            title: remedy.title.clone(),
            safe: remedy.safe,
            may_grant: remedy.may_grant,
            edits,
        })
    }

    fn edits(&mut self, change: &RemedyStep) -> Option<Vec<Edit>> {
        match change {
            RemedyStep::Bytes(edit) => Some(vec![edit.clone()]),
            RemedyStep::Word { at, was, with } => {
                let plain = |s: &str| s.chars().all(|c| c.is_ascii_alphanumeric() || "-_:.*/?".contains(c));
                let fits = self.sources.slice(*at) == was && plain(was) && plain(with);
                fits.then(|| vec![edit(*at, with)])
            }
            RemedyStep::Comment { at } => Some(vec![comment(self.sources, *at)]),
            RemedyStep::Replace { at, with } if with.is_empty() => self.locate(*at)?.remove(),
            RemedyStep::Remove { at } => self.locate(*at)?.remove(),
            RemedyStep::Replace { at, with } => self.locate(*at)?.replace(with),
            RemedyStep::Add { behind, items } => self.locate(*behind)?.add(items),
            RemedyStep::Enter {
                beside,
                before,
                key,
                value,
            } => self.locate(*beside)?.insert_entry(*before, key, value),
            RemedyStep::Put { at, value } => self.locate(*at)?.put(value),
            RemedyStep::Block {
                beside,
                name,
                attributes,
            } => self.locate(*beside)?.insert_block(name, attributes),
        }
    }

    fn locate(&mut self, span: Span) -> Option<CodeSpot<'_>> {
        let sources = self.sources;
        let layers = self
            .files
            .entry(span.file)
            .or_insert_with(|| {
                let file = EditableCode::file(span.file, sources.path(span.file), sources.text(span.file))?;
                Some(Layers {
                    codes: vec![file],
                    embedded: BTreeMap::new(),
                })
            })
            .as_mut()?;
        let mut at = 0;
        for _ in 0..MAX_DEPTH {
            if let Some(part) = layers.codes[at].part_at(span) {
                let code = &layers.codes[at];
                return Some(CodeSpot { code, part });
            }
            let string = layers.codes[at].string_around(span)?;
            let known = layers.embedded.get(&(at, string)).copied();
            let inner = known.unwrap_or_else(|| {
                let inner = layers.codes[at].embedded(string).map(|code| {
                    layers.codes.push(code);
                    layers.codes.len() - 1
                });
                layers.embedded.insert((at, string), inner);
                inner
            });
            at = inner?;
        }
        None
    }
}

/// Whether both can be edited at once: they share no byte, and nothing is put in at the border of the other.
pub(super) fn are_independent(a: Span, b: Span) -> bool {
    if a.is_empty() || b.is_empty() {
        !a.touches(b)
    } else {
        a.file != b.file || a.end <= b.start || b.end <= a.start
    }
}

fn edit(span: Span, text: &str) -> Edit {
    let text = text.to_owned();
    Edit { span, text }
}

/// Takes a comment away: with its line where it stands alone, else with the blanks before it.
fn comment(sources: &Sources, at: Span) -> Edit {
    let text = sources.text(at.file);
    let mut at = at;
    let before = text[..at.range().start].trim_end_matches([' ', '\t']);
    let mut rest = &text[at.range().end..];
    for closer in ["*/", "-->", "#}"] {
        if let Some(more) = rest.trim_start_matches([' ', '\t']).strip_prefix(closer) {
            rest = more;
            at.end = (text.len() - rest.len()) as u32;
        }
    }
    let after = rest.trim_start_matches([' ', '\t']);
    let ends = after.is_empty() || after.starts_with(['\n', '\r']);
    let (start, end) = if ends && (before.is_empty() || before.ends_with('\n')) {
        let line_break = after.starts_with('\r') as usize + after.trim_start_matches('\r').starts_with('\n') as usize;
        (before.len(), text.len() - after.len() + line_break)
    } else if ends {
        (before.len(), text.len() - after.len())
    } else {
        (at.range().start, at.range().end)
    };
    edit(Span::new(at.file, start, end), "")
}

impl<'c> CodeSpot<'c> {
    /// The list, object or block that the part is an element of, and which one: by item, or by key.
    fn element(self) -> Option<(ElementSequence<'c>, usize, usize)> {
        let container = self.code.parts[self.part].parent?;
        let outer = &self.code.parts[container];
        let at = outer.children.binary_search(&self.part).ok()?;
        let n = match outer.shape {
            CodeShape::List | CodeShape::Tuple => at,
            CodeShape::Object | CodeShape::Body if at % 2 == 0 => at / 2,
            // A nested block, all of it.
            CodeShape::Body if self.code.parts[self.part].shape == CodeShape::Body => at / 2,
            _ => return None,
        };
        Some((ElementSequence::new(self.code, container)?, n, container))
    }

    /// Whether the part is an item of a list.
    fn is_item(self) -> bool {
        let parent = self.code.parts[self.part].parent;
        parent.is_some_and(|p| matches!(self.code.parts[p].shape, CodeShape::List | CodeShape::Tuple))
    }

    fn written(self) -> &'c str {
        self.code.slice(self.part)
    }

    fn quote_style(self) -> QuoteStyle {
        QuoteStyle::detect(self.code.syntax, self.written())
    }

    fn strings(self, texts: &[String]) -> Vec<String> {
        let one = |t: &String| render::string(self.code.syntax, self.quote_style(), t);
        texts.iter().map(one).collect()
    }

    fn splice(self, splices: Vec<Splice>) -> Option<Vec<Edit>> {
        let edits = splices.into_iter().map(|(range, text)| self.code.edit(range, &text));
        edits.collect()
    }

    fn remove(self) -> Option<Vec<Edit>> {
        let (series, n, _) = self.element()?;
        self.splice(series.remove(n)?)
    }

    fn replace(self, with: &[String]) -> Option<Vec<Edit>> {
        let part = &self.code.parts[self.part];
        if part.shape != CodeShape::Scalar {
            return None;
        }
        let range = part.range.clone();
        if let [only] = with {
            let key = !self.is_item() && self.element().is_some();
            let text = if key {
                render::key(self.code.syntax, self.quote_style(), only)
            } else {
                render::string(self.code.syntax, self.quote_style(), only)
            };
            return self.splice(vec![(range, text)]);
        }
        if self.is_item() {
            let (series, n, _) = self.element()?;
            return self.splice(series.replace(n, &self.strings(with))?);
        }
        self.list(self.strings(with))
    }

    fn add(self, items: &[String]) -> Option<Vec<Edit>> {
        if self.is_item() {
            let (series, n, _) = self.element()?;
            return self.splice(series.insert_after(n, &self.strings(items))?);
        }
        if self.code.parts[self.part].shape != CodeShape::Scalar {
            return None;
        }
        let mut all = vec![self.written().to_owned()];
        all.extend(self.strings(items));
        self.list(all)
    }

    /// Puts a list of what is spelled already in the place of a value that is not one.
    fn list(self, items: Vec<String>) -> Option<Vec<Edit>> {
        let range = self.code.parts[self.part].range.clone();
        let (text, syntax) = (&self.code.text, self.code.syntax);
        let parent = self.code.parts[self.part].parent?;
        let container = &self.code.parts[parent];
        // Only an object's or a block's value may be a list instead.
        let at = container.children.binary_search(&self.part).ok()?;
        if !matches!(container.shape, CodeShape::Object | CodeShape::Body) || at % 2 == 0 {
            return None;
        }
        if items.len() <= MAX_ON_A_LINE {
            return self.splice(vec![(range, format!("[{}]", items.join(", ")))]);
        }
        let indent = indentation(text, range.start);
        let block = syntax == Syntax::Yaml && !self.code.is_bracketed(parent);
        if !block {
            let inner = format!("\n{indent}  ");
            let items = items.join(&format!(",{inner}"));
            return self.splice(vec![(range, format!("[{inner}{items}\n{indent}]"))]);
        }
        let key = self.code.parts[container.children[at - 1]].range.clone();
        let series = ElementSequence::new(self.code, parent)?;
        let between = format!("\n{}  - ", series.column(key.start));
        let blanks = text[..range.start].trim_end_matches(' ').len();
        let items: Vec<String> = items.iter().map(|i| format!("{between}{i}")).collect();
        self.splice(vec![(blanks..range.end, items.concat())])
    }

    fn put(self, value: &Value) -> Option<Vec<Edit>> {
        let part = &self.code.parts[self.part];
        if part.shape != CodeShape::Scalar || !self.can_say(value) {
            return None;
        }
        let style = self.quote_style();
        let text = match self.code.syntax {
            Syntax::Yaml => render::intrinsic(value),
            _ => None,
        };
        let written = text.unwrap_or_else(|| render::value(self.code.syntax, style, QuoteStyle::Double, value));
        self.splice(vec![(part.range.clone(), written)])
    }

    /// Whether the value means the same here: a reference means nothing in a string, nor in another format.
    fn can_say(self, value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().all(|v| self.can_say(v)),
            Value::Object(entries) => entries.iter().all(|(key, v)| {
                let expression = key == EXPRESSION;
                let intrinsic = key == "Ref" || key.starts_with("Fn::");
                let is_hcl = self.code.syntax == Syntax::Hcl;
                let fits = !expression && !intrinsic || !self.code.is_embedded() && is_hcl == expression;
                fits && self.can_say(v)
            }),
            _ => true,
        }
    }

    fn insert_block(self, name: &str, attributes: &[(&'static str, Value)]) -> Option<Vec<Edit>> {
        let (series, n, container) = self.element()?;
        if self.code.parts[container].shape != CodeShape::Body || !attributes.iter().all(|(_, v)| self.can_say(v)) {
            return None;
        }
        let indent = series.column(self.code.parts[self.part].range.start);
        let width = attributes.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        let lines = attributes.iter().map(|(key, value)| {
            let value = render::value(Syntax::Hcl, QuoteStyle::Double, QuoteStyle::Double, value);
            format!("{indent}  {key:<width$} = {value}\n")
        });
        let text = format!("{name} {{\n{}{indent}}}", lines.collect::<String>());
        self.splice(series.insert_after(n, &[text])?)
    }

    fn insert_entry(self, before: bool, key: &str, value: &Value) -> Option<Vec<Edit>> {
        let (series, n, container) = self.element()?;
        let shape = self.code.parts[container].shape;
        if matches!(shape, CodeShape::List | CodeShape::Tuple) || !self.can_say(value) {
            return None;
        }
        let new = self.entry(&series, container, n, key, value);
        self.splice(if before {
            series.insert_before(n, &new)?
        } else {
            series.insert_after(n, &[new])?
        })
    }

    /// `key: value` as it is written beside this key.
    fn entry(self, series: &ElementSequence<'_>, container: usize, n: usize, key: &str, value: &Value) -> String {
        let syntax = self.code.syntax;
        let part = &self.code.parts[container];
        let beside = &self.code.parts[part.children[2 * n + 1]];
        let keys = self.quote_style();
        // Strings are quoted as those beside are; a bare word beside says nothing of what needs quotes.
        let strings = match (
            syntax,
            QuoteStyle::detect(syntax, &self.code.text[beside.range.clone()]),
        ) {
            (Syntax::Python, _) => keys,
            (_, QuoteStyle::Bare) if beside.shape != CodeShape::Scalar => QuoteStyle::Double,
            (_, manner) => manner,
        };
        let key_range: Range<usize> = self.code.parts[self.part].range.clone();
        if syntax == Syntax::Yaml && !self.code.is_bracketed(container) {
            let name = render::key(syntax, keys, key);
            let indent = series.column(key_range.start);
            return format!("{name}:{}", render::block(value, keys, strings, &indent));
        }
        let written = render::value(syntax, keys, strings, value);
        if syntax == Syntax::Hcl {
            // As `terraform fmt` has it: the equals signs of neighbours stand below each other.
            let gap = &self.code.text[key_range.end..beside.range.start];
            if let Some(blanks) = gap.find('=') {
                let name = render::key(syntax, keys, key);
                let width = key_range.len() + blanks.max(1);
                return format!("{name:<0$}= {written}", width.max(name.len() + 1));
            }
        }
        render::entry(syntax, keys, key, &written)
    }
}
