//! Values as texts.

use crate::source::{Hole, HoleKind, Span, Text, TextBuilder, TextIndex};
use crate::value::{Value, ValueKind};

use crate::formats::terraform::eval::evaluator::TerraformEvaluator;
use crate::formats::terraform::eval::template::MAX_TEXT;
use crate::formats::terraform::eval::values::sorted_entries;

/// Deepest value that is written as JSON.
const MAX_DEPTH: u32 = 60;
/// How many characters are escaped in one text. Each is a part of its own, and quoting what is quoted doubles them.
const MAX_ESCAPED: usize = 20_000;

/// The string that Terraform converts a value to; an unknown value is a hole. `None` for lists, objects, null and
/// alternatives.
pub(crate) fn to_text(value: &Value) -> Option<Text> {
    match &value.kind {
        ValueKind::Str(t) => Some(t.clone()),
        ValueKind::Num(n) => Some(Text::synthetic(&number(n), value.span)),
        ValueKind::Bool(b) => Some(Text::synthetic(if *b { "true" } else { "false" }, value.span)),
        ValueKind::Unknown(h) => Some(Text::hole(Hole {
            span: value.span,
            ..(**h).clone()
        })),
        _ => None,
    }
}

/// A number as Terraform prints it.
pub(crate) fn number(written: &str) -> String {
    match written.parse::<f64>() {
        Ok(n) if written.contains(['e', 'E', '.']) => format_number(n),
        _ => written.to_owned(),
    }
}

pub(crate) fn format_number(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 1e15 {
        format!("{n:.0}")
    } else {
        format!("{n}")
    }
}

/// The JSON of a value, each string still knowing its place.
pub(crate) fn json_text(evaluator: &TerraformEvaluator<'_>, value: &Value) -> Text {
    let mut out = TextBuilder::new();
    write(evaluator, value, &mut out, 0);
    out.finish(value.span)
}

fn write(evaluator: &TerraformEvaluator<'_>, value: &Value, out: &mut TextBuilder, depth: u32) {
    let span = value.span;
    let long = value.as_text().map_or(0, Text::len) / 8;
    if depth > MAX_DEPTH || !evaluator.spend(1 + long) {
        out.hole(Hole::new(HoleKind::Other, "…", span));
        return;
    }
    match &value.kind {
        ValueKind::Null => out.unit("null", span),
        ValueKind::Bool(b) => out.unit(if *b { "true" } else { "false" }, span),
        ValueKind::Num(n) => out.unit(&number(n), span),
        ValueKind::Str(t) => string(evaluator, t, span, out),
        ValueKind::Json(inner) => string(evaluator, &json_text(evaluator, inner), span, out),
        ValueKind::Unknown(h) => out.hole((**h).clone()),
        ValueKind::OneOf(_) => out.hole(Hole::new(HoleKind::Other, evaluator.name(span), span)),
        ValueKind::Seq(items) => {
            out.unit("[", point(span));
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.unit(",", point(item.span));
                }
                write(evaluator, item, out, depth + 1);
            }
            out.unit("]", point(span));
        }
        ValueKind::Map(_) => {
            out.unit("{", point(span));
            for (i, e) in sorted_entries(value).into_iter().enumerate() {
                if i > 0 {
                    out.unit(",", point(e.key_span));
                }
                string(evaluator, &e.key, e.key_span, out);
                out.unit(":", point(e.key_span));
                write(evaluator, &e.value, out, depth + 1);
            }
            out.unit("}", point(span));
        }
    }
}

/// Punctuation that is not written anywhere points at the beginning of what it belongs to.
fn point(span: Span) -> Span {
    Span::new(span.file, span.start as usize, span.start as usize)
}

fn string(evaluator: &TerraformEvaluator<'_>, text: &Text, span: Span, out: &mut TextBuilder) {
    out.unit("\"", point(span));
    let flat = text.with_placeholders();
    let is_escaped = |b: &u8| matches!(b, b'"' | b'\\') || *b < 0x20;
    if flat.bytes().filter(is_escaped).count() > MAX_ESCAPED {
        evaluator.over_budget(span);
        out.hole(Hole::new(HoleKind::Other, "…", span));
        out.unit("\"", point(span));
        return;
    }
    let index = TextIndex::new(text);
    let mut from = 0;
    for (i, c) in flat.char_indices() {
        let escaped = match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            c if (c as u32) < 0x20 => format!("\\u{:04x}", c as u32),
            _ => continue,
        };
        out.append(&index.slice(from..i));
        from = i + c.len_utf8();
        out.unit(&escaped, index.span_of(i..from).unwrap_or(span));
    }
    if from < flat.len() {
        out.append(&index.slice(from..flat.len()));
    }
    out.unit("\"", point(span));
}

/// Writes `pieces` one after the other.
pub(crate) fn concat(pieces: &[Text], place: Span) -> Text {
    let mut out = TextBuilder::new();
    for p in pieces {
        out.append(p);
    }
    out.finish(place)
}

/// Every known character changed by `f`; places are kept where the length stays the same.
pub(crate) fn map_case(text: &Text, span: Span, f: impl Fn(&str) -> String) -> Text {
    let flat = text.with_placeholders();
    let index = TextIndex::new(text);
    let mut out = TextBuilder::new();
    let mut buffer = [0_u8; 4];
    for (i, c) in flat.char_indices() {
        let end = i + c.len_utf8();
        let written: &str = c.encode_utf8(&mut buffer);
        let changed = f(written);
        if Text::placeholder(c).is_some() || changed == written {
            out.append(&index.slice(i..end));
            continue;
        }
        let place = index.span_of(i..end).unwrap_or(span);
        if changed.len() == place.len() {
            out.verbatim(&changed, place.file, place.start as usize);
        } else {
            out.unit(&changed, place);
        }
    }
    out.finish(span)
}

/// `text` with each `search` in it replaced; `None` where that would be too long.
pub(crate) fn replace(
    evaluator: &TerraformEvaluator<'_>,
    text: &Text,
    search: &str,
    with: &Text,
    place: Span,
) -> Option<Text> {
    if search.is_empty() {
        return Some(text.clone());
    }
    let flat = text.with_placeholders();
    let bytes = flat.len() + flat.matches(search).count().saturating_mul(with.len());
    if bytes > MAX_TEXT || !evaluator.spend(bytes / 64) {
        return None;
    }
    let index = TextIndex::new(text);
    let mut out = TextBuilder::new();
    let mut from = 0;
    for (i, _) in flat.match_indices(search) {
        out.append(&index.slice(from..i));
        out.append(with);
        from = i + search.len();
    }
    out.append(&index.slice(from..flat.len()));
    Some(out.finish(place))
}
