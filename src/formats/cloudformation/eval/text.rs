//! Texts put together from parts that may have alternatives.

use std::sync::Arc;

use crate::formats::text_templates::with_brace_holes;
use crate::source::{Hole, HoleKind, Piece, Span, Text};
use crate::value::{Branch, Guard, Value, ValueKind};

/// How many alternatives one text may have; beyond that its parts become holes.
const MAX_ALTERNATIVES: usize = 8;

/// One of the texts that a part may amount to, and the conditions under which it does ("if IsProd").
#[derive(Clone, Debug)]
pub(crate) struct Alternative {
    pub(crate) when: Guard,
    pub(crate) text: Text,
}

/// A part of a text under construction; never empty.
pub(crate) type TemplatePart = Vec<Alternative>;

pub(crate) fn fixed(text: Text) -> TemplatePart {
    vec![Alternative {
        when: Guard::default(),
        text,
    }]
}

/// The text that `value` is inside a text written at `home`: parts that come from elsewhere (a parameter's default, a
/// mapping) are said to be written at `at`, the reference, so that every part of the result lies where a person reads it.
pub(crate) fn part(value: &Value, at: Span, home: Span) -> TemplatePart {
    let mut out = Vec::new();
    collect(value, at, home, &Guard::default(), 0, &mut out);
    if out.is_empty() || out.len() > MAX_ALTERNATIVES {
        return fixed(hole(HoleKind::Other, "…", at));
    }
    out
}

fn collect(value: &Value, at: Span, home: Span, when: &Guard, depth: usize, out: &mut TemplatePart) {
    if out.len() > MAX_ALTERNATIVES || depth > 8 {
        return;
    }
    let text = match &value.kind {
        ValueKind::OneOf(branches) => {
            for branch in branches.iter() {
                collect(&branch.value, at, home, &when.and(&branch.when), depth + 1, out);
            }
            return;
        }
        ValueKind::Str(text) if value.via.is_none() && home.contains(value.span) => text.clone(),
        ValueKind::Str(text) => at_span(text, at),
        ValueKind::Unknown(h) => at_span(&Text::from_pieces([Piece::Hole(h.clone())]), at),
        ValueKind::Num(n) => Text::synthetic(n, at),
        ValueKind::Bool(b) => Text::synthetic(if *b { "true" } else { "false" }, at),
        ValueKind::Null => Text::default(),
        ValueKind::Json(_) => hole(HoleKind::Other, "json", at),
        ValueKind::Seq(_) => hole(HoleKind::Other, "list", at),
        ValueKind::Map(_) => hole(HoleKind::Other, "object", at),
    };
    out.push(Alternative {
        when: when.clone(),
        text,
    });
}

/// The same text, all of it written at `at`.
pub(crate) fn at_span(text: &Text, at: Span) -> Text {
    let mut out = Text::default();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) if lit.text.is_empty() => {}
            Piece::Lit(lit) => out.append(&Text::synthetic(&lit.text, at)),
            Piece::Hole(h) => out.push(Piece::Hole(Arc::new(Hole {
                span: at,
                ..(**h).clone()
            }))),
        }
    }
    out
}

pub(crate) fn hole(kind: HoleKind, name: &str, span: Span) -> Text {
    Text::hole(Hole::new(kind, name, span))
}

/// What a pseudo parameter is: `AWS::Region`. CloudFormation User Guide, "Get AWS values using pseudo parameters".
pub(crate) fn pseudo(name: &str) -> Option<HoleKind> {
    Some(match name.strip_prefix("AWS::")? {
        "AccountId" => HoleKind::Account,
        "Partition" => HoleKind::Partition,
        "Region" => HoleKind::Region,
        "URLSuffix" => HoleKind::UrlSuffix,
        "StackName" | "StackId" => HoleKind::Existing,
        _ => HoleKind::Other,
    })
}

/// The text `made`, in which `%partition`, `%region` and `%account` stand for the pseudo parameters.
pub(crate) fn arn(made: &str, at: Span) -> Text {
    let mut out = Text::default();
    for (i, part) in made.split('%').enumerate() {
        let names = [
            ("partition", HoleKind::Partition, "AWS::Partition"),
            ("region", HoleKind::Region, "AWS::Region"),
            ("account", HoleKind::Account, "AWS::AccountId"),
        ];
        let named = names.iter().find_map(|(word, kind, name)| {
            let rest = part.strip_prefix(word)?;
            Some((rest, *kind, *name))
        });
        match named {
            Some((rest, kind, name)) if i > 0 => {
                out.append(&hole(kind, name, at));
                if !rest.is_empty() {
                    out.append(&Text::synthetic(rest, at));
                }
            }
            _ if part.is_empty() => {}
            _ => out.append(&Text::synthetic(part, at)),
        }
    }
    out
}

/// One part after the other.
pub(crate) fn concat(parts: &[TemplatePart], span: Span) -> Value {
    let mut count = 1usize;
    for part in parts {
        count = count.saturating_mul(part.len());
    }
    let open = count > MAX_ALTERNATIVES;
    let mut made = vec![Alternative {
        when: Guard::default(),
        text: Text::default(),
    }];
    for part in parts {
        match part.as_slice() {
            [only] => made.iter_mut().for_each(|m| m.text.append(&only.text)),
            several if open => {
                let at = several[0].text.span_of(0..several[0].text.len()).unwrap_or(span);
                let unknown = hole(HoleKind::Other, "…", at);
                made.iter_mut().for_each(|m| m.text.append(&unknown));
            }
            several => {
                let mut next = Vec::new();
                for m in &made {
                    for alternative in several {
                        if m.when.excludes(&alternative.when) {
                            continue;
                        }
                        let mut text = m.text.clone();
                        text.append(&alternative.text);
                        let when = m.when.and(&alternative.when);
                        next.push(Alternative { when, text });
                    }
                }
                if !next.is_empty() {
                    made = next;
                }
            }
        }
    }
    one_of(made, span)
}

/// A value for all alternatives together.
pub(crate) fn one_of(alternatives: TemplatePart, span: Span) -> Value {
    let mut alternatives = alternatives;
    if alternatives.len() == 1
        && alternatives[0].when.is_always()
        && let Some(only) = alternatives.pop()
    {
        return Value::text(with_brace_holes(only.text), span);
    }
    let branches: Vec<Branch> = alternatives
        .into_iter()
        .map(|a| Branch {
            when: a.when,
            value: Value::text(with_brace_holes(a.text), span),
        })
        .collect();
    Value::new(ValueKind::OneOf(branches.into()), span)
}
