//! What stands at a place of a text, of any format: a string, or a word without quotes, and what it is a value of.
//!
//! A text that is being written is seldom one that can be parsed: this looks at the lines around the place, and no further.

use std::ops::Range;

use crate::iam::catalogue;

/// Bytes before a place that are looked at for what it is a value of.
const LOOK_BACK: usize = 8 << 10;
/// Lines before a place that are looked at.
const MAX_LINES: usize = 200;

/// A string or word, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CursorToken<'t> {
    pub(super) text: &'t str,
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    /// The quote around it.
    pub(super) quote: Option<char>,
}

/// What a value is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Action,
    Resource,
    /// The type of principals is known: `Service`, or another one.
    Service,
    Principal,
    /// The operator of a condition.
    Operator,
    /// A key of a condition.
    ConditionKey,
    /// A value that a key of a condition is compared with, of a key without a list of values.
    ConditionValue,
    ManagedPolicy,
    Effect,
}

/// The string or word at the byte `at`, which may be its end.
pub(super) fn token(text: &str, at: usize) -> CursorToken<'_> {
    let at = text.floor_char_boundary(at.min(text.len()));
    let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let end = text[at..].find('\n').map_or(text.len(), |i| at + i);
    let line = &text[start..end];
    let at = at - start;
    let (range, quote) = quoted(line, at).unwrap_or_else(|| (word(line, at), None));
    CursorToken {
        text: &line[range.clone()],
        range: start + range.start..start + range.end,
        quote,
    }
}

/// The content of the quoted string of a line around `at`. One that is not closed ends with its word.
fn quoted(line: &str, at: usize) -> Option<(Range<usize>, Option<char>)> {
    let mut open: Option<(usize, char)> = None;
    let mut is_escaped = false;
    for (i, c) in line.char_indices() {
        match open {
            None if matches!(c, '"' | '\'') => {
                if i >= at {
                    return None;
                }
                open = Some((i, c));
            }
            // A comment may have an apostrophe.
            None if c == '#' => return None,
            None => {}
            Some(_) if is_escaped => is_escaped = false,
            Some((_, '"')) if c == '\\' => is_escaped = true,
            Some((from, quote)) if c == quote => {
                // One that is not closed seems to end where the next one begins.
                let is_whole = !line[from + 1..i].contains([',', '[', ']', ' ']);
                match at <= i {
                    true if is_whole => return Some((from + 1..i, Some(quote))),
                    true => break,
                    false => open = None,
                }
            }
            Some(_) => {}
        }
    }
    let (from, quote) = open?;
    let word = word(line, at);
    Some((word.start.max(from + 1)..word.end.max(from + 1), Some(quote)))
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || ":*?_./${}-@<>+=".contains(c)
}

/// The word around `at`, without a colon that ends it.
fn word(line: &str, at: usize) -> Range<usize> {
    let start = line[..at].rfind(|c| !is_of_word(c)).map_or(0, |i| {
        let c = line[i..].chars().next().map_or(1, char::len_utf8);
        i + c
    });
    let end = line[at..].find(|c| !is_of_word(c)).map_or(line.len(), |i| at + i);
    let colon = line[start..end].ends_with(':') && end > at && end - start > 1;
    start..end - usize::from(colon)
}

/// What the place is a value of, or a key in: the nearest name before it that says so.
pub(super) fn slot(text: &str, at: usize) -> Option<Slot> {
    let at = text.floor_char_boundary(at.min(text.len()));
    let from = text.ceil_char_boundary(at.saturating_sub(LOOK_BACK));
    let before = &text[from..at];
    let lines: Vec<&str> = before.rsplit('\n').take(MAX_LINES).collect();
    // Of the line itself what stands before the string; above it, what is indented less, or opens a bracket.
    let mut most = usize::MAX;
    let mut depth = 0i32;
    for (i, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with("//") {
            continue;
        }
        let indent = line.len() - trimmed.len();
        let item = trimmed.starts_with("- ");
        let names = names(line);
        for Name {
            text: name,
            depth: own,
            is_key,
            is_value_open,
        } in names.iter().rev()
        {
            let opens = depth + own;
            let is_around =
                opens > 0 || (i == 0 && *is_value_open) || (i > 0 && indent < most && *is_key && *is_value_open);
            if is_around && let Some(slot) = slot_of(name, &lines, i) {
                return Some(slot);
            }
        }
        depth = (depth + balance(line)).min(0);
        let own = if item { indent + 1 } else { indent };
        most = most.min(if i == 0 && item { own.max(1) } else { own });
    }
    None
}

/// A name in a line.
struct Name<'l> {
    text: &'l str,
    /// Brackets that are open at the end of the line since the name.
    depth: i32,
    /// A colon or an equals sign follows.
    is_key: bool,
    /// No comma at the depth of the name follows: what comes next may be its value.
    is_value_open: bool,
}

fn names(line: &str) -> Vec<Name<'_>> {
    let mut out = Vec::new();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '/' | '-' | '.');
    let mut at = 0;
    while let Some(found) = line[at..].find(is_name) {
        let start = at + found;
        let end = line[start..].find(|c| !is_name(c)).map_or(line.len(), |i| start + i);
        at = end;
        let whole = &line[start..end];
        let name = whole.trim_end_matches(':');
        let rest = line[start + name.len()..].trim_start_matches(['"', '\'']).trim_start();
        let is_key = rest.starts_with([':', '=']);
        let is_block = rest.starts_with('{') || rest.starts_with('(');
        if !is_key && !is_block {
            continue;
        }
        let value = &line[start + name.len()..];
        out.push(Name {
            text: name,
            depth: balance(value),
            is_key,
            is_value_open: !value.contains(',') || balance(value) > 0,
        });
    }
    out
}

/// Brackets that a text opens and does not close, less those that it closes. Expressions in `${}` are none.
fn balance(text: &str) -> i32 {
    let of = |c: char| match c {
        '[' | '{' | '(' => 1,
        ']' | '}' | ')' => -1,
        _ => 0,
    };
    text.chars().map(of).sum()
}

/// What the values or keys of something with this name are.
fn slot_of(name: &str, lines: &[&str], line: usize) -> Option<Slot> {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    Some(match &*plain {
        "action" | "actions" | "notaction" | "notactions" => Slot::Action,
        "resource" | "notresource" | "resources" | "notresources" => {
            // Of a template, all of it is below a word that is the same.
            let is_template =
                line > 0 && lines[line].trim_end().ends_with(':') && lines[line].trim_start() == lines[line];
            if is_template {
                return None;
            }
            Slot::Resource
        }
        "service" => Slot::Service,
        "aws" | "federated" | "canonicaluser" | "principal" | "notprincipal" | "principals" => Slot::Principal,
        "identifiers" => {
            let around = lines.iter().skip(line).take(6).chain(lines.iter().take(line));
            let is_service = around.into_iter().any(|l| l.contains("\"Service\""));
            if is_service { Slot::Service } else { Slot::Principal }
        }
        "condition" | "conditions" => Slot::Operator,
        "test" => Slot::Operator,
        "variable" => Slot::ConditionKey,
        "managedpolicyarns" | "managedpolicyarn" | "managedpolicies" | "policyarn" | "policyarns" => {
            Slot::ManagedPolicy
        }
        "effect" => Slot::Effect,
        "values" => {
            let around = lines.iter().skip(line).take(6).chain(lines.iter().take(line));
            let variable = around
                .into_iter()
                .find_map(|l| l.trim_start().strip_prefix("variable"))?;
            values_of(variable.trim_matches(|c: char| !c.is_alphanumeric()))
        }
        _ if is_condition_key(name) => values_of(name),
        _ if operator(name).is_some() => Slot::ConditionKey,
        _ => return None,
    })
}

/// Whether a name is that of a key of a condition: `aws:SourceArn`, `iam:PassedToService`.
fn is_condition_key(name: &str) -> bool {
    let prefix = name.split_once(':').map(|(prefix, _)| prefix);
    prefix.is_some_and(|prefix| prefix == "aws" || catalogue().service(prefix).is_some())
}

/// What is compared with a key.
fn values_of(key: &str) -> Slot {
    match &*key.to_ascii_lowercase() {
        "iam:passedtoservice" | "iam:awsservicename" | "aws:principalservicename" => Slot::Service,
        _ => Slot::ConditionValue,
    }
}

/// The operators of conditions. IAM User Guide, "IAM JSON policy elements: Condition operators".
pub(super) const OPERATORS: [(&str, &str); 27] = [
    ("StringEquals", "is one of the values, with case"),
    ("StringNotEquals", "is not one of the values, with case"),
    ("StringEqualsIgnoreCase", "is one of the values, in any case"),
    ("StringNotEqualsIgnoreCase", "is not one of the values, in any case"),
    ("StringLike", "matches one of the patterns, with `*` and `?`"),
    ("StringNotLike", "matches none of the patterns, with `*` and `?`"),
    ("NumericEquals", "is this number"),
    ("NumericNotEquals", "is not this number"),
    ("NumericLessThan", "is less than this number"),
    ("NumericLessThanEquals", "is at most this number"),
    ("NumericGreaterThan", "is greater than this number"),
    ("NumericGreaterThanEquals", "is at least this number"),
    ("DateEquals", "is this time"),
    ("DateNotEquals", "is not this time"),
    ("DateLessThan", "is before this time"),
    ("DateLessThanEquals", "is at or before this time"),
    ("DateGreaterThan", "is after this time"),
    ("DateGreaterThanEquals", "is at or after this time"),
    ("Bool", "is this truth value"),
    ("BinaryEquals", "is these bytes, as Base64"),
    ("IpAddress", "is an address in one of the networks"),
    ("NotIpAddress", "is an address in none of the networks"),
    ("ArnEquals", "is an ARN that matches one of the patterns"),
    ("ArnLike", "is an ARN that matches one of the patterns"),
    ("ArnNotEquals", "is an ARN that matches none of the patterns"),
    ("ArnNotLike", "is an ARN that matches none of the patterns"),
    ("Null", "is missing (`true`) or there (`false`)"),
];

/// The operator that a name is, without its set operator and `IfExists`, and what it means.
pub(super) fn operator(name: &str) -> Option<(&'static str, &'static str)> {
    let name = name
        .strip_prefix("ForAllValues:")
        .or_else(|| name.strip_prefix("ForAnyValue:"))
        .unwrap_or(name);
    let name = name.strip_suffix("IfExists").unwrap_or(name);
    OPERATORS.into_iter().find(|(operator, _)| *operator == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text without its `|`, and where that stood.
    fn at_bar(text: &str) -> (String, usize) {
        let at = text.find('|').unwrap();
        (text.replacen('|', "", 1), at)
    }

    #[test]
    fn a_token_is_what_stands_between_quotes_or_a_word() {
        for (text, token_text) in [
            (r#""Action": "s3:Get|Object","#, "s3:GetObject"),
            (r#""Action": "|","#, ""),
            (r#"  "Action": ["s3:Get*", "s3:Pu|"#, "s3:Pu"),
            (r#"  "Action": ["s3:Get*", "s3:Pu|, "s3:PutObject"]"#, "s3:Pu"),
            ("x = ['s3:Pu|], ['a']", "s3:Pu"),
            ("  - s3:Get|Object", "s3:GetObject"),
            ("  Action: s3:*|", "s3:*"),
            ("  StringEq|uals:", "StringEquals"),
            ("x = 'iam:Pass|Role' # it's", "iam:PassRole"),
            ("  aws:SourceArn|: x", "aws:SourceArn"),
            ("é: s3:|*", "s3:*"),
        ] {
            let (text, at) = at_bar(text);
            assert_eq!(token(&text, at).text, token_text, "{text}");
        }
    }

    #[test]
    fn what_a_value_is_for_is_said_before_it() {
        for (text, expected) in [
            (r#"{"Effect": "Allow", "Action": "|"#, Some(Slot::Action)),
            ("{\n \"Action\": [\n  \"s3:GetObject\",\n  \"|", Some(Slot::Action)),
            (
                "{\n \"Action\": [\n  \"s3:GetObject\"\n ],\n \"Resource\": \"|",
                Some(Slot::Resource),
            ),
            ("{\n \"Action\": [\n  \"s3:GetObject\"\n ],\n \"|", None),
            ("  Action:\n    - s3:GetObject\n    - |", Some(Slot::Action)),
            ("  Action:\n  - s3:GetObject\n  - |", Some(Slot::Action)),
            ("  Action:\n  - s3:GetObject\n  Resource: |", Some(Slot::Resource)),
            ("Resources:\n  Role:\n    Type: |", None),
            (
                "  actions = [\n    \"s3:GetObject\", # one\n    \"|",
                Some(Slot::Action),
            ),
            ("  Action = \"|", Some(Slot::Action)),
            ("  \"Condition\": {\"|", Some(Slot::Operator)),
            ("  \"Condition\": {\"StringEquals\": {\"|", Some(Slot::ConditionKey)),
            ("  Condition:\n    StringEquals:\n      |", Some(Slot::ConditionKey)),
            ("  Condition:\n    |", Some(Slot::Operator)),
            ("condition {\n  test = \"|", Some(Slot::Operator)),
            (
                "condition {\n  test = \"StringEquals\"\n  variable = \"|",
                Some(Slot::ConditionKey),
            ),
            ("  StringEquals:\n    iam:PassedToService: |", Some(Slot::Service)),
            ("\"StringEquals\": {\"aws:SourceArn\": \"|", Some(Slot::ConditionValue)),
            (
                "condition {\n  test = \"StringEquals\"\n  variable = \"iam:PassedToService\"\n  values = [\"|",
                Some(Slot::Service),
            ),
            ("Principal = { Service = \"|", Some(Slot::Service)),
            ("Principal:\n  Service: |", Some(Slot::Service)),
            ("ManagedPolicyArns:\n  - |", Some(Slot::ManagedPolicy)),
            ("client.put(Policy={'Action': ['|", Some(Slot::Action)),
            ("  policy_arn = \"|", Some(Slot::ManagedPolicy)),
        ] {
            let (text, at) = at_bar(text);
            assert_eq!(slot(&text, at), expected, "{text}");
        }
    }
}
