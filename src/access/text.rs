//! Texts of a policy with their variables replaced.

use std::borrow::Cow;

use super::request::{ContextValue, RequestContext};
use crate::iam::condition::is_multivalued;
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::variables::variables;

/// Stand for a star and a question mark that are plain characters, in patterns and in what they are compared with.
const STAR: char = '\u{F8F0}';
const QUESTION: char = '\u{F8F1}';

/// Pairs of characters of a pattern and of a text that are compared where a star may not match a colon.
const MOST_STEPS: usize = 1 << 24;

/// What becomes of a text.
pub(super) enum Resolved {
    Pattern(PolicyPattern),
    /// A variable of it has no value in this request.
    Missing,
    Unknown,
}

/// A text in which `*` and `?` are wildcards, unless they are marked as plain.
pub(super) struct PolicyPattern(String);

/// Replaces the variables of a text. Without `has_variables` there are none: IAM User Guide, "IAM JSON policy elements:
/// Version". A variable without a value has its default; a key with several values is no variable: IAM User Guide, "IAM policy
/// elements: Variables and tags" and "Single-valued vs. multivalued context keys".
pub(super) fn resolve(text: &str, context: &RequestContext, has_variables: bool) -> Resolved {
    if !has_variables || !text.contains("${") {
        return Resolved::Pattern(PolicyPattern(text.to_owned()));
    }
    let mut out = String::with_capacity(text.len());
    let (mut at, mut is_unknown) = (0, false);
    while let Some(start) = text[at..].find("${").map(|found| at + found) {
        out.push_str(&text[at..start]);
        let Some(end) = text[start..].find('}').map(|found| start + found + 1) else {
            at = start;
            break;
        };
        at = end;
        let written = &text[start..end];
        match written {
            "${*}" => out.push(STAR),
            "${?}" => out.push(QUESTION),
            "${$}" => out.push('$'),
            _ => match variables(written).into_iter().next() {
                Some(v) if v.problem.is_none() => {
                    let key = v.name.to_lowercase();
                    let single = is_multivalued(&key) != Some(true);
                    match (context.get(&key), v.default) {
                        (ContextValue::Known(values), _) if single && values.len() == 1 => {
                            out.push_str(&plain(&values[0]))
                        }
                        (ContextValue::Unknown, _) => is_unknown = true,
                        (_, Some(default)) => out.push_str(&plain(&default)),
                        (_, None) => return Resolved::Missing,
                    }
                }
                _ => out.push_str(written),
            },
        }
    }
    out.push_str(&text[at..]);
    match is_unknown {
        true => Resolved::Unknown,
        false => Resolved::Pattern(PolicyPattern(out)),
    }
}

/// As [`resolve`], for an item of `Resource`: variables are replaced after the fifth colon only.
/// IAM User Guide, "IAM policy elements: Variables and tags", "Resource element".
pub(super) fn resolve_resource(text: &str, context: &RequestContext, has_variables: bool) -> Resolved {
    let fifth = text.match_indices(':').nth(4).map_or(text.len(), |(at, _)| at + 1);
    let (head, tail) = text.split_at(fifth);
    match resolve(tail, context, has_variables) {
        Resolved::Pattern(PolicyPattern(tail)) => Resolved::Pattern(PolicyPattern(format!("{head}{tail}"))),
        other => other,
    }
}

/// A text in which nothing is a wildcard.
fn plain(text: &str) -> Cow<'_, str> {
    match text.contains(['*', '?']) {
        true => Cow::Owned(text.replace('*', &STAR.to_string()).replace('?', &QUESTION.to_string())),
        false => Cow::Borrowed(text),
    }
}

impl PolicyPattern {
    /// As it is compared where wildcards are plain characters.
    pub(super) fn literal(&self) -> Cow<'_, str> {
        match self.0.contains([STAR, QUESTION]) {
            true => Cow::Owned(self.0.replace(STAR, "*").replace(QUESTION, "?")),
            false => Cow::Borrowed(&self.0),
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        glob::matches(&self.0, &plain(text), CaseSensitivity::Sensitive)
    }

    /// As `Resource` is matched: a star that is not the last character of its part of an ARN does not match a colon, and
    /// neither does `?`, except in the resource part, where colons are like other characters.
    /// IAM User Guide, "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs".
    pub(super) fn matches_resource(&self, arn: &str) -> bool {
        let text = plain(arn);
        let tokens = self.tokens();
        let free = |t: &Wild| matches!(t, Wild::Char(_) | Wild::Run { colon: true } | Wild::One { colon: true });
        if tokens.iter().all(free) || tokens.len().saturating_mul(text.len()) > MOST_STEPS {
            return self.matches(arn);
        }
        run(&tokens, &text)
    }

    /// As ARN operators match: each of the six parts by itself, which may have wildcards. What is not an ARN does not match.
    /// A lone `*` is every ARN.
    /// IAM User Guide, "IAM JSON policy elements: Condition operators", "ARN condition operators".
    pub(super) fn matches_arn(&self, arn: &str) -> bool {
        let text = plain(arn);
        let theirs: Vec<&str> = text.splitn(6, ':').collect();
        if theirs.len() < 6 || theirs[0] != "arn" {
            return false;
        }
        let ours: Vec<&str> = self.0.splitn(6, ':').collect();
        let same = |(p, t): (&&str, &&str)| glob::matches(p, t, CaseSensitivity::Sensitive);
        self.0 == "*" || ours.len() == 6 && ours.iter().zip(&theirs).all(same)
    }

    fn tokens(&self) -> Vec<Wild> {
        let mut colons = 0;
        let mut chars = self.0.chars().peekable();
        let mut out = Vec::new();
        while let Some(c) = chars.next() {
            let in_resource = colons >= 5;
            out.push(match c {
                '*' => Wild::Run {
                    colon: in_resource || chars.peek().is_none_or(|next| *next == ':'),
                },
                '?' => Wild::One { colon: in_resource },
                c => Wild::Char(c),
            });
            colons += usize::from(c == ':');
        }
        out
    }
}

/// A character of a pattern; whether a wildcard matches a colon.
#[derive(Clone, Copy)]
enum Wild {
    Char(char),
    One { colon: bool },
    Run { colon: bool },
}

fn run(tokens: &[Wild], text: &str) -> bool {
    // Whether what is read so far matches the first n tokens.
    let skip_runs = |reached: &mut Vec<bool>| {
        for (i, token) in tokens.iter().enumerate() {
            if reached[i] && matches!(token, Wild::Run { .. }) {
                reached[i + 1] = true;
            }
        }
    };
    let mut reached = vec![false; tokens.len() + 1];
    reached[0] = true;
    skip_runs(&mut reached);
    for c in text.chars() {
        let mut next = vec![false; tokens.len() + 1];
        for (i, token) in tokens.iter().enumerate().filter(|(i, _)| reached[*i]) {
            match token {
                Wild::Char(p) => next[i + 1] |= *p == c,
                Wild::One { colon } => next[i + 1] |= *colon || c != ':',
                Wild::Run { colon } => next[i] |= *colon || c != ':',
            }
        }
        skip_runs(&mut next);
        reached = next;
    }
    reached[tokens.len()]
}
