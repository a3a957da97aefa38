//! How long a policy is, as AWS counts it. IAM User Guide, "IAM and AWS STS quotas": white space is not counted.

use super::PolicyKind;
use crate::source::{Piece, Text};
use crate::value::{Value, ValueKind, parts};

/// A length in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub characters: usize,
    /// `false`: holes were counted as nothing, the deployed policy is at least this long.
    pub exact: bool,
}

/// No service takes a longer policy: characters of an access policy of Amazon OpenSearch Service, whose quota is the
/// largest. What a person could deploy is within it, so checks that compare all with all go as far, and no further.
const LONGEST: usize = 100 * 1024;
/// As many statements as fit, each with an effect, an action and a resource.
pub const MOST_STATEMENTS: usize = LONGEST / r#"{"Effect":"Deny","Action":"*","Resource":"*"},"#.len();
/// As many items of a list as fit.
pub const MOST_ITEMS: usize = LONGEST / r#""a:b","#.len();

/// As many lines of a condition as fit, an operator and a key each.
pub const MOST_LINES: usize = LONGEST / r#""Null":{"a:b":""},"#.len();

/// What a policy is put on; decides the quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaSubject {
    /// A customer managed policy, also as a permissions boundary.
    Managed,
    /// All inline policies of one user together.
    User,
    Role,
    Group,
    /// A role's trust policy.
    Trust,
    Session,
    Scp,
    Rcp,
}

/// The most characters that AWS takes. For trust policies the default, which can be raised.
pub fn quota(holder: QuotaSubject) -> usize {
    match holder {
        QuotaSubject::Managed => 6144,
        QuotaSubject::User => 2048,
        // AWS Organizations User Guide, "Quotas": a service control policy doubled in May 2026.
        QuotaSubject::Role | QuotaSubject::Scp => 10_240,
        QuotaSubject::Group | QuotaSubject::Rcp => 5120,
        QuotaSubject::Trust => 2048,
        QuotaSubject::Session => 2048,
    }
}

/// The most bytes that a service takes for the policy of one of its resources, where its documentation names it.
pub fn resource_quota(service: &str) -> Option<usize> {
    Some(match service {
        "s3" | "lambda" | "secretsmanager" | "ec2" | "backup" => 20 * 1024,
        "kms" => 32 * 1024,
        "sns" => 30 * 1024,
        _ => return None,
    })
}

/// The holder that a document's kind alone tells of.
pub fn quota_subject(kind: PolicyKind) -> Option<QuotaSubject> {
    Some(match kind {
        PolicyKind::Trust => QuotaSubject::Trust,
        PolicyKind::Boundary => QuotaSubject::Managed,
        PolicyKind::Session => QuotaSubject::Session,
        PolicyKind::Scp => QuotaSubject::Scp,
        PolicyKind::Rcp => QuotaSubject::Rcp,
        PolicyKind::Identity | PolicyKind::Resource | PolicyKind::Unknown => return None,
    })
}

/// The characters of `policy` as JSON without white space outside strings.
pub fn size(policy: &Value) -> Size {
    let mut out = Size {
        characters: 0,
        exact: true,
    };
    let mut stack = vec![policy];
    while let Some(value) = stack.pop() {
        match &value.kind {
            ValueKind::Null => out.characters += 4,
            ValueKind::Bool(b) => out.characters += if *b { 4 } else { 5 },
            ValueKind::Num(n) => out.characters += n.chars().count(),
            ValueKind::Str(t) => string(t, &mut out),
            // A document inside a string of a document is counted as what it says.
            ValueKind::Json(inner) => stack.push(inner),
            ValueKind::Seq(items) => {
                out.characters += 2 + items.len().saturating_sub(1);
                stack.extend(items.iter());
            }
            ValueKind::Map(entries) => {
                out.characters += 2 + entries.len().saturating_sub(1);
                for (goes_on, e) in parts(entries) {
                    stack.push(&e.value);
                    match goes_on {
                        // Neither its key nor its braces are there again.
                        true => out.characters = out.characters.saturating_sub(2),
                        false => {
                            string(&e.key, &mut out);
                            out.characters += 1;
                        }
                    }
                }
            }
            ValueKind::OneOf(branches) => {
                out.exact = false;
                // One alternative alone: the other is that nothing is there.
                let shortest = if branches.len() == 1 { &[][..] } else { &branches[..] };
                let shortest = shortest.iter().map(|b| size(&b.value).characters).min().unwrap_or(0);
                out.characters += shortest;
            }
            ValueKind::Unknown(_) => out.exact = false,
        }
    }
    out
}

fn string(text: &Text, out: &mut Size) {
    out.characters += 2;
    for piece in text.pieces() {
        match piece {
            Piece::Lit(l) => {
                out.characters += l
                    .text
                    .chars()
                    .map(|c| {
                        if matches!(c, '"' | '\\' | '\n' | '\t' | '\r') {
                            2
                        } else {
                            1
                        }
                    })
                    .sum::<usize>();
            }
            Piece::Hole(_) => out.exact = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Hole, HoleKind, Span};
    use crate::value::MapEntry;

    #[test]
    fn white_space_between_tokens_does_not_count() {
        let span = Span::NOWHERE;
        let entry = |key: &str, value| MapEntry {
            key: Text::synthetic(key, span),
            key_span: span,
            value,
        };
        let hole = Value::text(Text::hole(Hole::new(HoleKind::Input, "v", span)), span);
        let list = Value::seq(
            vec![Value::synthetic("a b", span), Value::synthetic(r#"""#, span)],
            span,
        );
        let known = Value::map(vec![entry("Version", list.clone())], span);
        // {"Version":["a b","\""]}
        assert_eq!(
            size(&known),
            Size {
                characters: 24,
                exact: true
            }
        );
        let open = Value::map(vec![entry("V", list), entry("W", hole)], span);
        // {"V":["a b","\""],"W":""}
        assert_eq!(
            size(&open),
            Size {
                characters: 25,
                exact: false
            }
        );
        let line = |key: &str| {
            entry(
                "Bool",
                Value::map(vec![entry(key, Value::synthetic("true", span))], span),
            )
        };
        let blocks = Value::map(vec![line("a:b"), line("a:c")], span);
        // {"Bool":{"a:b":"true","a:c":"true"}}
        assert_eq!(size(&blocks).characters, 36);
    }
}
