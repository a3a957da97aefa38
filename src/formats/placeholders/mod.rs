//! Placeholders in policies: what another tool, or a person, replaces before AWS sees the text.
//!
//! **Invariant:** a placeholder is a hole, in every format and every element: never a malformed value, never a value.
//! Documented examples (`123456789012`, `amzn-s3-demo-bucket`, `o-exampleorgid`) are values, and so is what may be a mistake:
//! `us-west-9`, an account of eleven digits. What stands for a region, an account or an address is one table:
//! [`typed`]. What is written between delimiters is another: [`crate::syntax::placeholder`].

mod typed;

use std::ops::Range;
use std::sync::Arc;

use super::serverless;
use crate::formats::cloudformation::eval::text::pseudo;
use crate::iam::arn;
use crate::source::{Hole, HoleKind, Piece, Text, TextSlice};
use crate::syntax::placeholder::{expression, is_capital, is_word};
use crate::value::{Branch, MAX_DEPTH, MapEntry, Value, ValueKind};

use typed::{ExpectedValue, is_placeholder_for};

/// Whether the default of a parameter says that what asks for it is off, or that nothing is given.
pub(super) fn means_disabled(default: &str) -> bool {
    const OFF: [&str; 9] = ["", "0", "disable", "disabled", "false", "n", "no", "none", "off"];
    OFF.iter().any(|word| default.trim().eq_ignore_ascii_case(word))
}

/// Whether the default of a parameter only shows what a value looks like: an ARN with a part that is crossed out.
pub(super) fn is_stand_in(default: &str) -> bool {
    const CROSSED_OUT: &str = "XXXX";
    default.starts_with("arn:") && default.to_ascii_uppercase().contains(CROSSED_OUT)
}

/// Longest text that is looked into, in bytes.
const MAX_TEXT: usize = 4096;

/// The document with holes for its placeholders; `None` where it has none.
pub(super) fn in_document(document: &Value) -> Option<Value> {
    walk(document, Element::None, 0)
}

/// What a value is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    None,
    /// Not a place for values: only what is delimited is a placeholder.
    Name,
    /// The operators of a condition.
    Condition,
    /// The keys under one operator, and what the operator compares.
    Operator(ExpectedValue),
    /// A condition key.
    Key,
    Principals,
    Value(ExpectedValue),
}

impl Element {
    fn at_key(self, key: &str) -> Self {
        match (self, key) {
            (Self::None, "Action" | "NotAction" | "Effect" | "Version" | "Sid" | "Id") => Self::Name,
            (Self::None, "Condition") => Self::Condition,
            (Self::None, "Resource" | "NotResource") => Self::Value(ExpectedValue::Text),
            (Self::None, "Principal" | "NotPrincipal") => Self::Principals,
            (Self::Principals, "AWS") => Self::Value(ExpectedValue::Account),
            (Self::Principals, _) => Self::Value(ExpectedValue::Text),
            (Self::Condition, operator) => Self::Operator(ExpectedValue::from_operator(operator)),
            (Self::Operator(ExpectedValue::Text), key) => Self::Value(ExpectedValue::from_key(key)),
            (Self::Operator(wanted), _) => Self::Value(wanted),
            _ => self,
        }
    }
}

fn walk(value: &Value, element: Element, depth: u32) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let kind = match &value.kind {
        ValueKind::Str(text) => ValueKind::Str(holes(text, element)?),
        ValueKind::Seq(items) => ValueKind::Seq(map_changed(items, |v| walk(v, element, depth + 1))?.into()),
        ValueKind::Json(inner) => ValueKind::Json(Arc::new(walk(inner, element, depth + 1)?)),
        ValueKind::OneOf(branches) => {
            let each = |b: &Branch| {
                let value = walk(&b.value, element, depth + 1)?;
                Some(Branch {
                    value,
                    when: b.when.clone(),
                })
            };
            ValueKind::OneOf(map_changed(branches, each)?.into())
        }
        ValueKind::Map(entries) => {
            let each = |e: &MapEntry| {
                let key = matches!(element, Element::Operator(_))
                    .then(|| holes(&e.key, Element::Key))
                    .flatten();
                let name = e.key.known().unwrap_or_default();
                let value = walk(&e.value, element.at_key(&name), depth + 1);
                (key.is_some() || value.is_some()).then(|| MapEntry {
                    key: key.unwrap_or_else(|| e.key.clone()),
                    key_span: e.key_span,
                    value: value.unwrap_or_else(|| e.value.clone()),
                })
            };
            ValueKind::Map(map_changed(entries, each)?.into())
        }
        ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) | ValueKind::Unknown(_) => return None,
    };
    Some(Value { kind, ..value.clone() })
}

/// The items with those that `change` changes; `None` where it changes none.
fn map_changed<T: Clone>(items: &[T], change: impl Fn(&T) -> Option<T>) -> Option<Vec<T>> {
    let mut out: Option<Vec<T>> = None;
    for (i, item) in items.iter().enumerate() {
        match (change(item), &mut out) {
            (Some(new), Some(out)) => out.push(new),
            (Some(new), None) => {
                let mut all = items[..i].to_vec();
                all.push(new);
                out = Some(all);
            }
            (None, Some(out)) => out.push(item.clone()),
            (None, None) => {}
        }
    }
    out
}

fn holes(text: &Text, element: Element) -> Option<Text> {
    if text.as_hole().is_some() || text.len() > MAX_TEXT {
        return None;
    }
    let delimited = replace_placeholders(text, &delimited_placeholders(&text.with_placeholders()));
    if element == Element::Name {
        return delimited;
    }
    let text = delimited.as_ref().unwrap_or(text);
    let flat = text.with_placeholders();
    let mut found = match element {
        Element::Value(wanted) if is_placeholder_for(&flat, wanted) => std::iter::once(0..flat.len()).collect(),
        _ => fields(text),
    };
    let typed = found.len();
    for word in word_placeholders(&flat) {
        if !found[..typed].iter().any(|f| f.start < word.end && word.start < f.end) {
            found.push(word);
        }
    }
    found.sort_by_key(|range| range.start);
    if element == Element::Key {
        // The name of a key has any case: `…:REPOSITORY_ID`. Its provider and the key of a tag are values.
        let name = flat.rfind(':').map_or(0, |colon| colon + 1);
        let tag = flat[name..].find('/').map_or(flat.len(), |slash| name + slash);
        found.retain(|range| range.start < name || range.start > tag);
    }
    let named = |range: Range<usize>| (range.clone(), flat[range].to_owned());
    replace_placeholders(text, &found.into_iter().map(named).collect::<Vec<_>>()).or(delimited)
}

/// The fields of an ARN that stand for a partition, a region or an account.
fn fields(text: &Text) -> Vec<Range<usize>> {
    let Some(parts) = arn::Arn::parse(text) else {
        return Vec::new();
    };
    let partition = "arn:".len();
    let region = partition + parts.partition.len() + 1 + parts.service.len() + 1;
    let account = region + parts.region.len() + 1;
    let typed = [
        (partition, parts.partition, ExpectedValue::Partition),
        (region, parts.region, ExpectedValue::Region),
        (account, parts.account, ExpectedValue::Account),
    ];
    let stands = |(at, part, wanted): (usize, TextSlice<'_>, ExpectedValue)| {
        is_placeholder_for(&part.with_placeholders(), wanted).then(|| at..at + part.len())
    };
    typed.into_iter().filter_map(stands).collect()
}

fn replace_placeholders(text: &Text, found: &[(Range<usize>, String)]) -> Option<Text> {
    if found.is_empty() {
        return None;
    }
    let (mut out, mut done) = (Text::default(), 0);
    for (range, name) in found {
        let Some(span) = text.span_of(range.clone()) else {
            continue;
        };
        if range.start > done {
            out.append(&text.slice(done..range.start));
        }
        let kind = pseudo(name)
            .or_else(|| serverless::framework_variable(name))
            .unwrap_or(HoleKind::Input);
        out.push(Piece::Hole(Arc::new(Hole::new(kind, name.as_str(), span))));
        done = range.end;
    }
    if done < text.len() {
        out.append(&text.slice(done..text.len()));
    }
    Some(out)
}

/// Placeholders that delimiters mark, with their names.
fn delimited_placeholders(flat: &str) -> Vec<(Range<usize>, String)> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = flat[at..].find(['<', '{', '%', '@', '_', '$', '[', '#', '(']) {
        at += found;
        match expression(&flat[at..], |name| serverless::framework_variable(name).is_some()) {
            Some((length, name)) => {
                out.push((at..at + length, name));
                at += length;
            }
            // The brace of a policy variable does not begin a placeholder.
            None => at += if flat[at..].starts_with("${") { 2 } else { 1 },
        }
    }
    out
}

/// Placeholders that only their words mark.
fn word_placeholders(flat: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = flat[at..].find(|c: char| c.is_ascii_alphanumeric()) {
        let start = at + found;
        let rest = &flat[start..];
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
        let end = start + length.unwrap_or(rest.len());
        if is_between_underscores(flat, start, end) {
            out.push(start - 1..end);
        } else if is_word(&flat[start..end]) {
            out.push(start..end);
        }
        at = end;
    }
    out
}

/// Whether a name in capitals stands between two underscores, and no other word before them: `_BUCKET_ARN_`.
fn is_between_underscores(flat: &str, start: usize, end: usize) -> bool {
    let Some(before) = flat[..start].strip_suffix('_') else {
        return false;
    };
    let is_alone = !before.ends_with(|c: char| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let name = flat[start..end].strip_suffix('_').unwrap_or_default();
    is_alone && name.len() > 1 && !name.ends_with('_') && name.chars().all(is_capital)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn shown(text: &str, element: Element) -> String {
        let text = Text::verbatim(text, FileId(0), 0);
        holes(&text, element).unwrap_or(text).display()
    }

    #[test]
    fn placeholders_are_holes() {
        let cases = [
            ("arn:aws:iam::ACCOUNT_ID:role/x", "arn:aws:iam::${ACCOUNT_ID}:role/x"),
            ("_BUCKET_ARN_", "${_BUCKET_ARN_}"),
            ("arn:aws:s3:::_BUCKET_/*", "arn:aws:s3:::${_BUCKET_}/*"),
            ("arn:aws:iam::<account-id>:role/x", "arn:aws:iam::${account-id}:role/x"),
            ("arn:aws:iam::%ACCOUNT%:role/x", "arn:aws:iam::${ACCOUNT}:role/x"),
            ("arn:aws:iam::%s:role/x", "arn:aws:iam::${%s}:role/x"),
            ("arn:aws:iam::{}:role/x", "arn:aws:iam::${{}:role/x"),
            ("arn:aws:iam::{account}:role/x", "arn:aws:iam::${account}:role/x"),
            ("arn:aws:iam::{{ account }}:role/x", "arn:aws:iam::${account}:role/x"),
            ("arn:aws:iam::@@ACCOUNT@@:role/x", "arn:aws:iam::${ACCOUNT}:role/x"),
            ("arn:aws:iam::__ACCOUNT__:role/x", "arn:aws:iam::${ACCOUNT}:role/x"),
            ("arn:aws:iam::$ACCOUNT:role/x", "arn:aws:iam::${ACCOUNT}:role/x"),
            ("arn:aws:iam::$account_id:role/x", "arn:aws:iam::${account_id}:role/x"),
            ("arn:aws:iam::@@account@@:role/x", "arn:aws:iam::${account}:role/x"),
            ("arn:aws:iam::%account%:role/x", "arn:aws:iam::${%account%}:role/x"),
            (
                "arn:$partition:iam::@account@:role/x",
                "arn:${partition}:iam::${account}:role/x",
            ),
            ("arn:aws:s3:::$DSS_BUCKET/*", "arn:aws:s3:::${DSS_BUCKET}/*"),
            ("arn:aws:s3:::orders-$stage/*", "arn:aws:s3:::orders-${stage}/*"),
            ("arn:aws:s3:::REPLACE_ME/*", "arn:aws:s3:::${REPLACE_ME}/*"),
            ("arn:aws:s3:::change-me/*", "arn:aws:s3:::${change-me}/*"),
            ("arn:aws:iam::$(account):role/x", "arn:aws:iam::${account}:role/x"),
            ("arn:aws:iam::%(account)s:role/x", "arn:aws:iam::${account}:role/x"),
            ("arn:aws:iam::[ACCOUNT_ID]:role/x", "arn:aws:iam::${ACCOUNT_ID}:role/x"),
            (
                "arn:aws:iam::#{AWS::AccountId}:role/x",
                "arn:aws:iam::${AWS::AccountId}:role/x",
            ),
            (
                "arn:aws:iam::${AWS::AccountId}:role/x",
                "arn:aws:iam::${AWS::AccountId}:role/x",
            ),
            (
                "arn:aws:iam::xxxxxxxxxxxx:role/x",
                "arn:aws:iam::${xxxxxxxxxxxx}:role/x",
            ),
            (
                "arn:aws:iam::your-account-id:role/x",
                "arn:aws:iam::${your-account-id}:role/x",
            ),
            ("arn:aws:sqs:region:accountId:x", "arn:aws:sqs:${region}:${accountId}:x"),
            (
                "arn:aws:sqs:AWS_REGION:AWS_ACCOUNT:x",
                "arn:aws:sqs:${AWS_REGION}:${AWS_ACCOUNT}:x",
            ),
            ("arn:aws:s3:::YOUR_BUCKET/*", "arn:aws:s3:::${YOUR_BUCKET}/*"),
            ("arn:aws:s3:::BUCKET-NAME/*", "arn:aws:s3:::${BUCKET-NAME}/*"),
            ("arn:aws:s3:::<%= bucket %>/*", "arn:aws:s3:::${%= bucket %}/*"),
            ("arn:aws:s3:::((bucket))/*", "arn:aws:s3:::${bucket}/*"),
            ("ORG_ID", "${ORG_ID}"),
            ("o-xxxxxxxxxx", "${o-xxxxxxxxxx}"),
            ("vpce-xxxxxxxx", "${vpce-xxxxxxxx}"),
            ("${BUCKET:-orders}", "${BUCKET:-orders}"),
            ("s3.REGION.amazonaws.com", "s3.${REGION}.amazonaws.com"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, Element::Value(ExpectedValue::Text)), expected, "{text}");
            let text = Text::verbatim(text, FileId(0), 0);
            assert!(
                holes(&text, Element::Value(ExpectedValue::Text)).is_some_and(|t| !t.is_known()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn values_are_no_placeholders() {
        for text in [
            "arn:aws:iam::123456789012:role/x",
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws:iam::orders:role/x",
            "arn:aws:iam::Placeholder:root",
            "arn:aws:iam::*:role/x",
            "arn:aws:s3:us-east-l::x",
            "arn:aws:s3:::amzn-s3-demo-bucket/${aws:username}/*",
            "arn:aws:s3:::a_BUCKET_/*",
            "arn:aws:s3:::x/a-_BUCKET_",
            "arn:aws:s3:::x/${*}",
            "arn:aws:s3:::x/${aws:PrincipalTag/team, 'none'}",
            "arn:aws:s3:::x/${ aws:username }",
            "arn:aws:s3:::x/${}",
            "arn:aws:s3:::x/a%20b%d0",
            "arn:aws:iam::123456789012:role/ADMIN",
            "arn:aws:iam::123456789012:role/AWS_QuickSetup",
            "arn:aws:iam::123456789012:role/a__b__c",
            "AIDACKCEVSQ6C2EXAMPLE",
            "PRODUCTION",
            "yourself",
            "o-exampleorgid",
            "$context.authorizer",
            "arn:aws:lambda:eu-west-1:123456789012:function:orders:$LATEST",
            "arn:aws:iot:eu-west-1:123456789012:topic/$aws/things/x",
            "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/$default/GET/$connect",
            "arn:aws:s3:::todo/*",
        ] {
            let text = Text::verbatim(text, FileId(0), 0);
            assert!(holes(&text, Element::Value(ExpectedValue::Text)).is_none(), "{text:?}");
        }
        assert_eq!(shown("ACTION_NAME", Element::Name), "ACTION_NAME");
        assert_eq!(shown("<service>:*", Element::Name), "${service}:*");
        for (key, expected) in [
            ("TOKEN.EXAMPLE.COM:REPOSITORY_ID", "TOKEN.EXAMPLE.COM:REPOSITORY_ID"),
            ("<provider>:sub", "${provider}:sub"),
            ("aws:ResourceTag/YOUR_TAG", "aws:ResourceTag/${YOUR_TAG}"),
        ] {
            assert_eq!(shown(key, Element::Key), expected);
        }
    }
}
