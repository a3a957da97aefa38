//! How a value is spelled in a syntax, in the manner of what stands beside it.

use serde_json::Value;

use super::code::Syntax;
use crate::finding::EXPRESSION;

/// How strings are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuoteStyle {
    Double,
    Single,
    /// YAML without quotes, an HCL object's key; where the text allows it.
    Bare,
}

impl QuoteStyle {
    /// That of a string as it is written.
    pub(super) fn detect(syntax: Syntax, written: &str) -> Self {
        let unprefixed = match syntax {
            Syntax::Python => written.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
            _ => written,
        };
        match (syntax, unprefixed.chars().next()) {
            (Syntax::Yaml | Syntax::Python, Some('\'')) => Self::Single,
            (Syntax::Yaml, Some(c)) if c != '"' => Self::Bare,
            (Syntax::Hcl, Some(c)) if c != '"' => Self::Bare,
            _ => Self::Double,
        }
    }
}

/// `text` as a string.
pub(super) fn string(syntax: Syntax, manner: QuoteStyle, text: &str) -> String {
    match (syntax, manner) {
        (Syntax::Yaml, QuoteStyle::Bare) if is_bare_yaml(text) => text.to_owned(),
        (Syntax::Yaml, QuoteStyle::Single) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        (Syntax::Python, QuoteStyle::Single) => {
            let double = quoted(text);
            let inner = &double[1..double.len() - 1];
            format!("'{}'", inner.replace("\\\"", "\"").replace('\'', "\\'"))
        }
        (Syntax::Hcl, _) => quoted(text).replace("${", "$${").replace("%{", "%%{"),
        _ => quoted(text),
    }
}

/// A key of an object.
pub(super) fn key(syntax: Syntax, manner: QuoteStyle, text: &str) -> String {
    let identifier = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    match (syntax, manner) {
        (Syntax::Hcl, QuoteStyle::Bare) if identifier => text.to_owned(),
        _ => string(syntax, manner, text),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A string to every reader of YAML, in a block as in a list of one line. A date, a number or a word such as `yes` is not one.
fn is_bare_yaml(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '*' | '+' | '=');
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    first && text.chars().all(fine) && !text.ends_with(':') && !words.contains(&&*text.to_ascii_lowercase())
}

/// A value on one line.
pub(super) fn value(syntax: Syntax, keys: QuoteStyle, strings: QuoteStyle, what: &Value) -> String {
    let each = |v: &Value| value(syntax, keys, strings, v);
    match what {
        Value::String(text) => string(syntax, strings, text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(each).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) if entries.contains_key(EXPRESSION) => {
            entries[EXPRESSION].as_str().unwrap_or_default().to_owned()
        }
        Value::Object(entries) => {
            let entries = entries.iter().map(|(k, v)| entry(syntax, keys, k, &each(v)));
            let entries: Vec<String> = entries.collect();
            match syntax {
                Syntax::Hcl => format!("{{ {} }}", entries.join(", ")),
                _ => format!("{{{}}}", entries.join(", ")),
            }
        }
        Value::Bool(true) if syntax == Syntax::Python => "True".to_owned(),
        Value::Bool(false) if syntax == Syntax::Python => "False".to_owned(),
        Value::Null if syntax == Syntax::Python => "None".to_owned(),
        other => other.to_string(),
    }
}

/// An intrinsic function of CloudFormation in its short form: `!GetAtt Table.Arn`.
pub(super) fn intrinsic(what: &Value) -> Option<String> {
    let (name, argument) = what.as_object().filter(|o| o.len() == 1)?.iter().next()?;
    match (name.as_str(), argument) {
        ("Ref", Value::String(name)) => Some(format!("!Ref {name}")),
        ("Fn::Sub", Value::String(text)) => Some(format!("!Sub {}", quoted(text))),
        ("Fn::GetAtt", Value::Array(parts)) => {
            let parts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
            Some(format!("!GetAtt {}", parts?.join(".")))
        }
        _ => None,
    }
}

/// A key and its value.
pub(super) fn entry(syntax: Syntax, keys: QuoteStyle, name: &str, value: &str) -> String {
    let between = if syntax == Syntax::Hcl { " = " } else { ": " };
    format!("{}{between}{value}", key(syntax, keys, name))
}

/// A value as YAML in block style, to be put behind `key:`; every line but the first is indented by `indent`.
pub(super) fn block(what: &Value, keys: QuoteStyle, strings: QuoteStyle, indent: &str) -> String {
    match what {
        Value::Object(entries) if !entries.is_empty() => {
            let inner = format!("{indent}  ");
            let lines = entries.iter().map(|(k, v)| {
                let name = key(Syntax::Yaml, keys, k);
                format!("\n{inner}{name}:{}", block(v, keys, strings, &inner))
            });
            lines.collect()
        }
        other => format!(" {}", value(Syntax::Yaml, keys, strings, other)),
    }
}
