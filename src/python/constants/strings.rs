//! Python's string operations on texts that keep their places.

use crate::python::ExprId;
use crate::python::constants::{ConstantEvaluator, map_alternatives, merge};
use crate::source::Text;
use crate::value::{Value, ValueKind};

/// Places filled in one string; more are left as they are.
const MAX_FIELDS: usize = 1000;
/// Lines of one string that are dedented.
const MAX_LINES: usize = 4000;

impl ConstantEvaluator<'_> {
    pub(super) fn binary(&self, module: usize, expr: ExprId, op: &str, left: ExprId, right: ExprId) -> Value {
        let span = self.span(module, expr);
        let l = self.value(module, left);
        match op {
            "%" => match &l.kind {
                ValueKind::Str(t) => Value {
                    kind: ValueKind::Str(self.percent(module, t, right)),
                    span: l.span,
                    via: l.via,
                },
                _ => self.unknown(module, expr),
            },
            // `60 * 60 * 24`
            "*" => {
                let r = self.value(module, right);
                match (&l.kind, &r.kind, l.as_number(), r.as_number()) {
                    (ValueKind::Num(_), ValueKind::Num(_), Some(a), Some(b)) => {
                        Value::new(ValueKind::Num((a * b).to_string().into()), span)
                    }
                    _ => self.unknown(module, expr),
                }
            }
            "+" => {
                let r = self.value(module, right);
                let texts = |v: &Value| matches!(v.kind, ValueKind::Str(_) | ValueKind::Unknown(_));
                let all_texts = |v: &Value| match &v.kind {
                    ValueKind::OneOf(branches) => branches.iter().all(|b| texts(&b.value)),
                    _ => texts(v),
                };
                match (&l.kind, &r.kind) {
                    (ValueKind::OneOf(_), _) | (_, ValueKind::OneOf(_)) if self.joins => {
                        if all_texts(&l) && all_texts(&r) {
                            let parts = vec![self.texts(module, left), self.texts(module, right)];
                            return self.appended(parts, span);
                        }
                        let added = map_alternatives(&l, span, &|l| {
                            map_alternatives(&r, span, &|r| match (&l.kind, &r.kind) {
                                (
                                    ValueKind::Seq(_) | ValueKind::Unknown(_),
                                    ValueKind::Seq(_) | ValueKind::Unknown(_),
                                ) => {
                                    let part = |v: &Value| match &v.kind {
                                        ValueKind::Seq(items) => items.to_vec(),
                                        _ => vec![v.clone()],
                                    };
                                    Some(Value::seq([part(l), part(r)].concat(), span))
                                }
                                _ => None,
                            })
                        });
                        added.unwrap_or_else(|| self.unknown(module, expr))
                    }
                    (ValueKind::Seq(a), ValueKind::Seq(b)) => {
                        Value::seq(a.iter().chain(b.iter()).cloned().collect(), span)
                    }
                    (ValueKind::Seq(a), ValueKind::Unknown(_)) => {
                        Value::seq(a.iter().cloned().chain([r.clone()]).collect(), span)
                    }
                    (ValueKind::Unknown(_), ValueKind::Seq(b)) => {
                        Value::seq([l.clone()].into_iter().chain(b.iter().cloned()).collect(), span)
                    }
                    (ValueKind::Str(_), ValueKind::Str(_) | ValueKind::Unknown(_))
                    | (ValueKind::Unknown(_), ValueKind::Str(_)) => {
                        let mut t = self.as_text(module, left);
                        t.append(&self.as_text(module, right));
                        Value::text(t, span)
                    }
                    _ => self.unknown(module, expr),
                }
            }
            "|" => {
                let r = self.value(module, right);
                match (l.entries(), r.entries()) {
                    (Some(a), Some(b)) => {
                        let mut entries = a.to_vec();
                        merge(&mut entries, b);
                        Value::map(entries, span)
                    }
                    _ => self.unknown(module, expr),
                }
            }
            _ => self.unknown(module, expr),
        }
    }
}

/// `str.format`: `fill(field name, running number)`; a field that is not known stays as it is written.
pub(super) fn format(text: &Text, fill: impl Fn(&str, usize) -> Option<Text>) -> Text {
    let flat = text.with_placeholders().into_owned();
    let bytes = flat.as_bytes();
    let mut out = Text::default();
    let (mut from, mut i, mut n) = (0, 0, 0);
    while let Some(found) = memchr::memchr2(b'{', b'}', &bytes[i..]) {
        let at = i + found;
        if bytes.get(at + 1) == Some(&bytes[at]) {
            out.append(&text.slice(from..at + 1));
            (i, from) = (at + 2, at + 2);
            continue;
        }
        let end = match memchr::memchr2(b'}', b'{', &bytes[at + 1..]) {
            Some(e) if bytes[at] == b'{' && bytes[at + 1 + e] == b'}' && n < MAX_FIELDS => at + 1 + e,
            _ => {
                i = at + 1;
                continue;
            }
        };
        let name = flat[at + 1..end].split([':', '!', '.', '[']).next().unwrap_or("");
        let filled = fill(name, n);
        if name.is_empty() {
            n += 1;
        }
        if let Some(t) = filled {
            out.append(&text.slice(from..at));
            out.append(&t);
            from = end + 1;
        } else {
            out.append(&text.slice(from..at));
            out.append(&missing_field_hole(text, at..end + 1));
            from = end + 1;
        }
        i = end + 1;
    }
    out.append(&text.slice(from..flat.len()));
    out
}

/// A hole for a field whose value is not given.
fn missing_field_hole(text: &Text, range: std::ops::Range<usize>) -> Text {
    let name = text.slice(range.clone()).display();
    match text.span_of(range.clone()) {
        Some(span) => Text::hole(crate::source::Hole::new(
            crate::source::HoleKind::Input,
            name.trim_matches(['{', '}', '%']).to_owned(),
            span,
        )),
        None => text.slice(range),
    }
}

/// `%` formatting (Python Library Reference, "printf-style String Formatting").
pub(super) fn percent(text: &Text, fill: impl Fn(&str, usize) -> Option<Text>) -> Text {
    let flat = text.with_placeholders().into_owned();
    let bytes = flat.as_bytes();
    let mut out = Text::default();
    let (mut from, mut i, mut n, mut fields) = (0, 0, 0, 0);
    while let Some(found) = memchr::memchr(b'%', &bytes[i..]) {
        let at = i + found;
        if bytes.get(at + 1) == Some(&b'%') {
            out.append(&text.slice(from..at + 1));
            (i, from) = (at + 2, at + 2);
            continue;
        }
        let mut end = at + 1;
        let mut name = "";
        if bytes.get(end) == Some(&b'(')
            && let Some(close) = memchr::memchr(b')', &bytes[end..])
        {
            name = &flat[end + 1..end + close];
            end += close + 1;
        }
        while bytes.get(end).is_some_and(|b| b"#0- +.123456789*".contains(b)) {
            end += 1;
        }
        if !bytes.get(end).is_some_and(|b| b"diouxXeEfFgGcrsa".contains(b)) || fields >= MAX_FIELDS {
            i = at + 1;
            continue;
        }
        end += 1;
        fields += 1;
        out.append(&text.slice(from..at));
        match fill(name, n) {
            Some(t) => out.append(&t),
            None => out.append(&missing_field_hole(text, at..end)),
        }
        if name.is_empty() {
            n += 1;
        }
        (i, from) = (end, end);
    }
    out.append(&text.slice(from..flat.len()));
    out
}

/// `str.replace`; `None` where that changes more places than are followed.
pub(super) fn replace(text: &Text, from: &str, to: &Text) -> Option<Text> {
    if from.is_empty() {
        return Some(text.clone());
    }
    let flat = text.with_placeholders();
    let mut out = Text::default();
    let mut at = 0;
    for (n, (i, _)) in flat.match_indices(from).enumerate() {
        if n >= MAX_FIELDS {
            return None;
        }
        out.append(&text.slice(at..i));
        out.append(to);
        at = i + from.len();
    }
    out.append(&text.slice(at..flat.len()));
    Some(out)
}

pub(super) fn strip(text: &Text, start: bool, end: bool) -> Text {
    let flat = text.with_placeholders();
    let from = if start { flat.len() - flat.trim_start().len() } else { 0 };
    let to = if end { flat.trim_end().len() } else { flat.len() };
    text.slice(from..to.max(from))
}

/// `textwrap.dedent`: the white space that all lines begin with is cut.
pub(super) fn dedent(text: &Text) -> Text {
    let flat = text.with_placeholders();
    let margin = |l: &str| l.len() - l.trim_start_matches([' ', '\t']).len();
    let common = flat
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(margin)
        .min()
        .unwrap_or(0);
    if common == 0 || flat.lines().count() > MAX_LINES {
        return text.clone();
    }
    let mut out = Text::default();
    let mut at = 0;
    for line in flat.split_inclusive('\n') {
        let cut = margin(line.trim_end_matches('\n')).min(common);
        out.append(&text.slice(at + cut..at + line.len()));
        at += line.len();
    }
    out
}
