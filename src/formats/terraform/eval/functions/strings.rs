//! Functions on strings.

use regex::Regex;

use crate::source::{Piece, Span, Text, TextBuilder, TextIndex};
use crate::value::{Branch, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::MAX_ITEMS;
use crate::formats::terraform::eval::functions::{FunctionCall, documents};
use crate::formats::terraform::eval::template::is_name_character;
use crate::formats::terraform::eval::to_string::{concat, format_number, map_case, replace, to_text};
use crate::formats::terraform::eval::values::{element_of, inherit, is_spread, items_of_known_form};

/// Longest text that is searched by an expression, in bytes.
const MAX_SEARCHED: usize = 200_000;

pub(super) fn apply(call: &FunctionCall<'_, '_>) -> Option<Value> {
    Some(match call.name {
        "join" => join(call),
        "split" => split(call),
        "format" => format(call, call.arguments),
        "formatlist" => formatlist(call),
        "lower" => case(call, |s| s.to_lowercase()),
        "upper" => case(call, |s| s.to_uppercase()),
        "title" => map_known(call, title),
        "strrev" => map_known(call, |s| s.chars().rev().collect()),
        "replace" => substitute(call),
        "trimspace" => trim(call, |c| c.is_whitespace(), true, true),
        "chomp" => trim(call, |c| c == '\n' || c == '\r', false, true),
        "trim" => match call.known_text(1) {
            Some(set) => trim(call, |c| set.contains(c), true, true),
            None => call.unknown(),
        },
        "trimprefix" => affix(call, true),
        "trimsuffix" => affix(call, false),
        "startswith" => starts_with(call),
        "endswith" => match (call.known_text(0), call.known_text(1)) {
            (Some(text), Some(end)) => call.bool(text.ends_with(&end)),
            _ => call.unknown(),
        },
        "strcontains" => match (call.text(0), call.known_text(1)) {
            (Some(text), Some(part)) if text.is_known() || text.with_placeholders().contains(&part) => {
                call.bool(text.with_placeholders().contains(&part))
            }
            _ => call.unknown(),
        },
        "substr" => substr(call),
        "indent" => indent(call),
        "regex" => regex(call),
        "regexall" => regexall(call),
        _ => return None,
    })
}

fn case(call: &FunctionCall<'_, '_>, f: impl Fn(&str) -> String) -> Value {
    match call.text(0) {
        Some(text) if !text.is_known() || !text.is_empty() => {
            let place = call.arguments[0].span;
            changed_text(call, map_case(&text, place, f))
        }
        Some(text) => changed_text(call, text),
        None => call.unknown(),
    }
}

/// A text that is the first argument changed: still written where that is.
fn changed_text(call: &FunctionCall<'_, '_>, text: Text) -> Value {
    let from = &call.arguments[0];
    Value {
        kind: ValueKind::Str(text),
        span: from.span,
        via: from.via.clone(),
    }
}

fn map_known(call: &FunctionCall<'_, '_>, f: impl Fn(&str) -> String) -> Value {
    match call.known_text(0) {
        Some(text) => Value::synthetic(&f(&text), call.span),
        None => call.unknown(),
    }
}

fn title(s: &str) -> String {
    let mut start = true;
    s.chars()
        .map(|c| {
            let changed = if start { c.to_uppercase().next().unwrap_or(c) } else { c };
            start = !c.is_alphanumeric();
            changed
        })
        .collect()
}

fn join(call: &FunctionCall<'_, '_>) -> Value {
    let Some(separator) = call.text(0) else {
        return call.unknown();
    };
    // `join("", data.aws_iam_policy_document.d[*].json)` takes the document out of the list.
    if let [list] = &call.arguments[1..]
        && let Some([only]) = list.as_seq()
        && documents::is_document(only)
    {
        return inherit(only, &list.via);
    }
    let mut parts: Vec<Text> = Vec::new();
    for list in &call.arguments[1..] {
        let Some(items) = list.as_seq() else {
            return call.unknown();
        };
        for item in items {
            if !parts.is_empty() {
                parts.push(separator.clone());
            }
            match to_text(item) {
                Some(text) => parts.push(text),
                None => return call.unknown(),
            }
        }
    }
    let bytes = parts.iter().map(Text::len).sum();
    if !call.evaluator.spend(parts.len()) || !call.is_within_budget(bytes) {
        return call.unknown();
    }
    call.text_value(concat(&parts, call.span))
}

fn split(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(separator), Some(text)) = (call.known_text(0), call.text(1)) else {
        return call.unknown();
    };
    if text.as_hole().is_some() {
        return call.unknown();
    }
    let from = &call.arguments[1];
    if text.is_empty() {
        return call.seq(vec![from.clone()]);
    }
    let flat = text.with_placeholders();
    let index = TextIndex::new(&text);
    let mut items = Vec::new();
    let mut push = |range: std::ops::Range<usize>| {
        let part = index.slice(range.clone());
        items.push(Value {
            span: part.span_of(0..part.len()).unwrap_or(from.span),
            kind: ValueKind::Str(part),
            via: from.via.clone(),
        });
    };
    let many = if separator.is_empty() {
        flat.chars().count()
    } else {
        flat.matches(&separator).count()
    };
    if many > MAX_ITEMS || !call.evaluator.spend(many) {
        return call.over_budget();
    }
    if separator.is_empty() {
        for (i, c) in flat.char_indices() {
            push(i..i + c.len_utf8());
        }
        return call.seq(items);
    }
    let mut start = 0;
    for (i, _) in flat.match_indices(&separator) {
        push(start..i);
        start = i + separator.len();
    }
    push(start..flat.len());
    call.seq(items)
}

/// One verb of a format string: flags, width, precision, and its letter.
struct Verb {
    plus: bool,
    minus: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    argument: Option<usize>,
    letter: char,
    end: usize,
}

fn verb(s: &str, from: usize) -> Option<Verb> {
    let mut v = Verb {
        plus: false,
        minus: false,
        zero: false,
        width: 0,
        precision: None,
        argument: None,
        letter: ' ',
        end: from,
    };
    let mut chars = s[from..].char_indices().peekable();
    let digits = |chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>| {
        let mut n: Option<usize> = None;
        while let Some((_, c)) = chars.peek()
            && let Some(d) = c.to_digit(10)
        {
            n = Some((n.unwrap_or(0) * 10 + d as usize).min(1000));
            chars.next();
        }
        n
    };
    while let Some((_, c)) = chars.peek() {
        match c {
            '+' => v.plus = true,
            '-' => v.minus = true,
            '0' => v.zero = true,
            ' ' | '#' => {}
            _ => break,
        }
        chars.next();
    }
    v.width = digits(&mut chars).unwrap_or(0);
    if chars.peek().is_some_and(|(_, c)| *c == '.') {
        chars.next();
        v.precision = Some(digits(&mut chars).unwrap_or(0));
    }
    if chars.peek().is_some_and(|(_, c)| *c == '[') {
        chars.next();
        v.argument = digits(&mut chars);
        if chars.next()?.1 != ']' {
            return None;
        }
    }
    let (i, letter) = chars.next()?;
    v.letter = letter;
    v.end = from + i + letter.len_utf8();
    Some(v)
}

fn format(call: &FunctionCall<'_, '_>, arguments: &[Value]) -> Value {
    let Some(spec) = arguments.first().and_then(to_text) else {
        return call.unknown();
    };
    // No account, region or name of something has a verb in it.
    let flat = match spec.holes().all(|h| h.kind.is_placeholder()) {
        true => spec.with_placeholders(),
        false => return call.unknown(),
    };
    let index = TextIndex::new(&spec);
    let mut out = TextBuilder::new();
    let (mut from, mut next, mut bytes) = (0, 1, flat.len());
    while let Some(i) = flat[from..].find('%').map(|i| from + i) {
        out.append(&index.slice(from..i));
        let place = index.span_of(i..i + 1).unwrap_or(call.span);
        let Some(v) = verb(&flat, i + 1) else {
            return call.fail();
        };
        from = v.end;
        if v.letter == '%' {
            out.unit("%", place);
            continue;
        }
        let n = v.argument.unwrap_or(next);
        next = n + 1;
        let Some(argument) = arguments.get(n) else {
            return call.fail();
        };
        let part = match flat[..i].ends_with(is_name_character) && call.evaluator.is_empty_stand_in(argument, false) {
            true => Some(call.evaluator.unset_text(call.span)),
            false => formatted(call, &v, argument),
        };
        match part {
            Some(text) if call.is_within_budget(bytes + text.len()) => {
                bytes += text.len();
                out.append(&text);
            }
            _ => return call.unknown(),
        }
    }
    out.append(&index.slice(from..flat.len()));
    call.text_value(out.finish(call.span))
}

fn formatted(call: &FunctionCall<'_, '_>, v: &Verb, argument: &Value) -> Option<Text> {
    let text = match (v.letter, &argument.kind) {
        ('v', ValueKind::Seq(_) | ValueKind::Map(_) | ValueKind::Null)
        | ('s', ValueKind::Json(_))
        | ('v', ValueKind::Json(_)) => {
            crate::formats::terraform::eval::to_string::json_text(call.evaluator, argument.decoded())
        }
        ('q', _) => {
            let inner = Value::text(to_text(argument)?, argument.span);
            crate::formats::terraform::eval::to_string::json_text(call.evaluator, &inner)
        }
        _ => to_text(argument)?,
    };
    if !text.is_known() {
        return Some(text);
    }
    let number = argument.as_number();
    let shown = match (v.letter, number) {
        ('d', Some(n)) => format!("{:.0}", n.trunc()),
        ('f', Some(n)) => format!("{n:.*}", v.precision.unwrap_or(6)),
        ('x', Some(n)) => format!("{:x}", n as i64),
        ('X', Some(n)) => format!("{:X}", n as i64),
        ('o', Some(n)) => format!("{:o}", n as i64),
        ('b', Some(n)) => format!("{:b}", n as i64),
        ('e', Some(n)) => format!("{n:e}"),
        ('g', Some(n)) => format_number(n),
        ('t', _) | ('s' | 'q' | 'v', _) => match v.precision {
            Some(p) if v.letter == 's' => text.display().chars().take(p).collect(),
            _ if v.width == 0 => return Some(text),
            _ => text.display(),
        },
        _ => return None,
    };
    let sign = if v.plus && number.is_some_and(|n| n >= 0.0) {
        "+"
    } else {
        ""
    };
    let mut shown = format!("{sign}{shown}");
    let missing = v.width.saturating_sub(shown.chars().count());
    if missing > 0 {
        let blank = " ".repeat(missing);
        shown = match (v.minus, v.zero && number.is_some()) {
            (true, _) => format!("{shown}{blank}"),
            (false, true) => match shown.strip_prefix('-') {
                Some(digits) => format!("-{}{digits}", "0".repeat(missing)),
                None => format!("{}{shown}", "0".repeat(missing)),
            },
            (false, false) => format!("{blank}{shown}"),
        };
    }
    if text.known().as_deref() == Some(shown.as_str()) {
        return Some(text);
    }
    Some(Text::synthetic(&shown, argument.span))
}

fn formatlist(call: &FunctionCall<'_, '_>) -> Value {
    let mut len = None;
    let lists = call.arguments.iter().filter(|a| matches!(a.kind, ValueKind::Seq(_)));
    let is_zipped = lists.count() > 1;
    for a in call.arguments {
        match &a.kind {
            // What stands beside it in another list is not known.
            ValueKind::Seq(items) if is_zipped && items.iter().any(is_spread) => return call.unknown(),
            ValueKind::Seq(items) => len = Some(len.unwrap_or(items.len()).min(items.len())),
            ValueKind::Unknown(_) => return formatlist_of_unknown(call),
            _ => {}
        }
    }
    let mut rows = Vec::new();
    for i in 0..len.unwrap_or(1) {
        let item = |a: &Value| match &a.kind {
            ValueKind::Seq(items) => items[i].clone(),
            _ => a.clone(),
        };
        let mut row: Vec<Value> = call.arguments.iter().map(item).collect();
        // Of an item that may be missing, what it is when it is there.
        let mut when = None;
        for value in &mut row {
            if let ValueKind::OneOf(branches) = &value.kind
                && let [branch] = &**branches
            {
                when = Some(branch.when.clone());
                *value = branch.value.clone();
            }
        }
        match when {
            _ if row.iter().any(is_spread) => match formatted_elements(call, &row) {
                Some(items) => rows.extend(items),
                None => return call.unknown(),
            },
            Some(when) => {
                let value = format(call, &row);
                rows.push(Value::new(ValueKind::OneOf([Branch { when, value }].into()), call.span));
            }
            None => rows.push(format(call, &row)),
        }
    }
    call.seq(rows)
}

/// `formatlist("arn:aws:iam::%s:root", var.accounts)`: the form of each element is known.
fn formatlist_of_unknown(call: &FunctionCall<'_, '_>) -> Value {
    let is_list = |a: &Value| matches!(a.kind, ValueKind::Seq(_));
    let items = match call.arguments.iter().any(is_list) {
        true => None,
        false => formatted_elements(call, call.arguments),
    };
    items.map_or_else(|| call.unknown(), |items| call.seq(items))
}

/// What stands for any number of elements, formatted with what is the same for all of them.
fn formatted_elements(call: &FunctionCall<'_, '_>, arguments: &[Value]) -> Option<Vec<Value>> {
    let row: Option<Vec<Value>> = arguments
        .iter()
        .map(|a| match &a.kind {
            ValueKind::Unknown(_) => element_of(a),
            ValueKind::Str(_) | ValueKind::Num(_) | ValueKind::Bool(_) => Some(a.clone()),
            _ => None,
        })
        .collect();
    items_of_known_form(format(call, &row?), &call.unknown(), call.span, "formatlist")
}

fn substitute(call: &FunctionCall<'_, '_>) -> Value {
    if let Some(changed) = documents::replace_in_document(call) {
        return changed;
    }
    let (Some(text), Some(search), Some(with)) = (call.text(0), call.known_text(1), call.text(2)) else {
        return call.unknown();
    };
    let expression = search.strip_prefix('/').and_then(|s| s.strip_suffix('/'));
    let Some(expression) = expression.filter(|_| search.len() > 1) else {
        let changed = replace(call.evaluator, &text, &search, &with, call.arguments[0].span);
        return changed.map_or_else(|| call.unknown(), |changed| changed_text(call, changed));
    };
    let (Some(known), Some(with)) = (text.known(), with.known()) else {
        return call.unknown();
    };
    match searcher(expression, &known) {
        Some(_) if !call.is_within_budget(known.len().saturating_mul(with.len())) => call.unknown(),
        Some(r) => {
            // Go's `$1x` is the group `1x` too, so that the two agree.
            let changed = r.replace_all(&known, &*with);
            if changed == known {
                changed_text(call, text.clone())
            } else {
                Value::synthetic(&changed, call.span)
            }
        }
        None => call.fail(),
    }
}

fn searcher(expression: &str, text: &str) -> Option<Regex> {
    if text.len() > MAX_SEARCHED {
        return None;
    }
    regex::RegexBuilder::new(expression).size_limit(1 << 20).build().ok()
}

fn trim(call: &FunctionCall<'_, '_>, f: impl Fn(char) -> bool, start: bool, end: bool) -> Value {
    let Some(text) = call.text(0) else {
        return call.unknown();
    };
    let flat = text.with_placeholders();
    let from = if start {
        flat.len() - flat.trim_start_matches(&f).len()
    } else {
        0
    };
    let to = if end {
        flat.trim_end_matches(&f).len()
    } else {
        flat.len()
    };
    changed_text(call, text.slice(from.min(to)..to))
}

fn affix(call: &FunctionCall<'_, '_>, prefix: bool) -> Value {
    let (Some(text), Some(affix)) = (call.text(0), call.known_text(1)) else {
        return call.unknown();
    };
    let flat = text.with_placeholders();
    let (from, to) = if prefix {
        (if flat.starts_with(&affix) { affix.len() } else { 0 }, flat.len())
    } else {
        (
            0,
            if flat.ends_with(&affix) {
                flat.len() - affix.len()
            } else {
                flat.len()
            },
        )
    };
    // What begins (or ends) with a hole may have the affix there.
    let edge = if prefix {
        text.pieces().first()
    } else {
        text.pieces().last()
    };
    if from == 0 && to == flat.len() && matches!(edge, Some(Piece::Hole(_))) {
        return call.unknown();
    }
    changed_text(call, text.slice(from..to))
}

fn starts_with(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(text), Some(start)) = (call.text(0), call.known_text(1)) else {
        return call.unknown();
    };
    let prefix = text.prefix();
    if text.is_known() || prefix.starts_with(&start) {
        return call.bool(prefix.starts_with(&start));
    }
    if start.starts_with(&prefix) {
        call.unknown()
    } else {
        call.bool(false)
    }
}

fn substr(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(text), Some(offset), Some(length)) = (call.text(0), call.number(1), call.number(2)) else {
        return call.unknown();
    };
    let Some(flat) = text.known() else {
        return call.unknown();
    };
    let count = flat.chars().count() as f64;
    let from = if offset < 0.0 {
        (count + offset).max(0.0)
    } else {
        offset.min(count)
    };
    let to = if length < 0.0 {
        count
    } else {
        (from + length).min(count)
    };
    let byte = |n: f64| flat.char_indices().nth(n as usize).map_or(flat.len(), |(i, _)| i);
    changed_text(call, text.slice(byte(from)..byte(to)))
}

fn indent(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(n), Some(text)) = (call.number(0), call.text(1)) else {
        return call.unknown();
    };
    let blanks = format!("\n{}", " ".repeat((n.max(0.0) as usize).min(200)));
    let with = Text::synthetic(&blanks, point(call.span));
    let from = &call.arguments[1];
    match replace(call.evaluator, &text, "\n", &with, from.span) {
        Some(text) => Value {
            kind: ValueKind::Str(text),
            ..from.clone()
        },
        None => call.unknown(),
    }
}

fn point(span: Span) -> Span {
    Span::new(span.file, span.start as usize, span.start as usize)
}

fn regex(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(expression), Some(text)) = (call.known_text(0), call.known_text(1)) else {
        return call.unknown();
    };
    let Some(r) = searcher(&expression, &text) else {
        return call.unknown();
    };
    match r.captures(&text) {
        Some(found) => captured(call, &r, &found),
        None => call.fail(),
    }
}

fn regexall(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(expression), Some(text)) = (call.known_text(0), call.known_text(1)) else {
        return call.unknown();
    };
    let Some(r) = searcher(&expression, &text) else {
        return call.unknown();
    };
    let all = r
        .captures_iter(&text)
        .take(1000)
        .map(|found| captured(call, &r, &found));
    call.seq(all.collect())
}

/// The whole match; a list where there are groups, an object where they have names.
fn captured(call: &FunctionCall<'_, '_>, r: &Regex, found: &regex::Captures<'_>) -> Value {
    let from = &call.arguments[1];
    let text = call.text(1).unwrap_or_default();
    let value = |m: Option<regex::Match<'_>>| match m {
        Some(m) => Value {
            kind: ValueKind::Str(text.slice(m.range())),
            span: text.span_of(m.range()).unwrap_or(from.span),
            via: from.via.clone(),
        },
        None => Value::new(ValueKind::Null, call.span),
    };
    if r.captures_len() == 1 {
        return value(found.get(0));
    }
    let names: Vec<Option<&str>> = r.capture_names().skip(1).collect();
    if names.iter().all(Option::is_none) {
        return call.seq((1..r.captures_len()).map(|i| value(found.get(i))).collect());
    }
    let entries = names.into_iter().flatten().map(|name| crate::value::MapEntry {
        key: Text::synthetic(name, call.span),
        key_span: call.span,
        value: value(found.name(name)),
    });
    Value::map(entries.collect(), call.span)
}
