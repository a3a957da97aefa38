//! Patterns over texts with holes, and three-valued questions to them.
//!
//! A hole is one string that is fixed at deployment and not known now. Every question is asked twice: with the holes as
//! unfavourable as can be (then a yes is [`Truth::Yes`]), and as favourable as can be (then a no is [`Truth::No`]).

mod ask;

use std::sync::Arc;

use super::Truth;
use super::glob::CaseSensitivity;
use crate::source::{HoleKind, HoleTarget, Piece, Text};

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    tokens: Vec<Token>,
    holes: Vec<Unknown>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// Index into [`Pattern::holes`].
    Hole(u32),
}

/// What a hole may be, and when two holes are the same string.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unknown {
    class: SymbolClass,
    name: Arc<str>,
    target: Option<HoleTarget>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SymbolClass {
    Account,
    Partition,
    Region,
    UrlSuffix,
    /// The name of a bucket. Amazon S3 User Guide, "General purpose bucket naming rules"; older names have
    /// capitals and underscores too.
    Bucket,
    /// A policy variable: any string, its `*` and `?` not special.
    Variable,
    /// Any string, also one with wildcards.
    Any,
    /// Any value of a part of an ARN format: all characters but these.
    Format(&'static str),
}

impl SymbolClass {
    fn admits(self, c: char) -> bool {
        match self {
            Self::Account => c.is_ascii_digit(),
            Self::Partition => c.is_ascii_lowercase() || c == '-',
            Self::Region => c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
            Self::UrlSuffix => c.is_ascii_alphanumeric() || c == '.' || c == '-',
            Self::Bucket => c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'),
            Self::Variable | Self::Any => true,
            Self::Format(not) => !not.contains(c),
        }
    }

    /// May the value itself hold wildcards?
    fn may_be_pattern(self) -> bool {
        self == Self::Any
    }
}

impl Unknown {
    fn same(&self, other: &Self) -> bool {
        self.class == other.class
            && match self.class {
                // One deployment has one of each, however it is spelled.
                SymbolClass::Account | SymbolClass::Partition | SymbolClass::Region | SymbolClass::UrlSuffix => true,
                SymbolClass::Format(_) => false,
                SymbolClass::Bucket | SymbolClass::Variable | SymbolClass::Any => {
                    self.name == other.name && self.target == other.target
                }
            }
    }
}

impl Pattern {
    /// An action pattern: case does not count, there are no policy variables.
    pub fn action(text: &Text) -> Self {
        Self::new(text, CaseSensitivity::Insensitive)
    }

    /// A resource pattern or a value of a `…Like` operator: case counts, `${aws:username}` is not known.
    pub fn resource(text: &Text) -> Self {
        Self::new(text, CaseSensitivity::Sensitive)
    }

    pub fn new(text: &Text, case: CaseSensitivity) -> Self {
        let mut out = Self {
            tokens: Vec::with_capacity(text.len()),
            holes: Vec::new(),
        };
        for piece in text.pieces() {
            match piece {
                Piece::Lit(l) => out.literal(&l.text, case),
                Piece::Hole(h) => out.hole(Unknown {
                    class: match h.kind {
                        HoleKind::Account => SymbolClass::Account,
                        HoleKind::Partition => SymbolClass::Partition,
                        HoleKind::Region => SymbolClass::Region,
                        HoleKind::UrlSuffix => SymbolClass::UrlSuffix,
                        HoleKind::Existing | HoleKind::Resource if is_bucket_name(&h.name) => SymbolClass::Bucket,
                        HoleKind::Resource
                        | HoleKind::Existing
                        | HoleKind::Input
                        | HoleKind::Default
                        | HoleKind::Dynamic
                        | HoleKind::Lookup
                        | HoleKind::Outside
                        | HoleKind::Applied
                        | HoleKind::Broken
                        | HoleKind::Other => SymbolClass::Any,
                    },
                    name: h.name.clone(),
                    target: h.target.clone(),
                }),
            }
        }
        out.normalize();
        out
    }

    /// A known string.
    pub fn plain(text: &str, case: CaseSensitivity) -> Self {
        let mut out = Self {
            tokens: Vec::with_capacity(text.len()),
            holes: Vec::new(),
        };
        out.literal(text, case);
        out.normalize();
        out
    }

    /// An ARN format of the catalogue: `arn:${Partition}:s3:::${BucketName}/${ObjectName}`. Its parts match any value that
    /// AWS can put there.
    pub fn format(format: &str) -> Self {
        let mut out = Self {
            tokens: Vec::new(),
            holes: Vec::new(),
        };
        let mut rest = format;
        while let Some(at) = rest.find("${") {
            out.chars(&rest[..at]);
            let Some(end) = rest[at..].find('}') else { break };
            let name = &rest[at + 2..at + end];
            let not = match name {
                "Partition" | "Region" | "Account" => ":/",
                // Names that are certain to hold no slash, so that `bucket/*` is no bucket, `table/t/index/*` no table, and
                // `domain/d/*` no domain.
                "BucketName" => "/:",
                "TableName" | "DomainName" => "/",
                _ => "",
            };
            // The ARN of a bucket has no account, and that of an access point always has one.
            if name == "Account" && rest[at + end..].starts_with("}:accesspoint/") {
                out.tokens.push(Token::One);
            }
            out.hole(Unknown {
                class: SymbolClass::Format(not),
                name: Arc::from(name),
                target: None,
            });
            rest = &rest[at + end + 1..];
        }
        out.chars(rest);
        out
    }

    fn hole(&mut self, hole: Unknown) {
        self.tokens.push(Token::Hole(self.holes.len() as u32));
        self.holes.push(hole);
    }

    fn chars(&mut self, text: &str) {
        self.tokens.extend(text.chars().map(Token::Char));
    }

    fn literal(&mut self, text: &str, case: CaseSensitivity) {
        let mut rest = text;
        loop {
            // Runs without anything special.
            let plain = rest.bytes().position(|b| matches!(b, b'*' | b'?' | b'$'));
            let (run, special) = rest.split_at(plain.unwrap_or(rest.len()));
            match case {
                CaseSensitivity::Insensitive => self
                    .tokens
                    .extend(run.chars().map(|c| Token::Char(c.to_ascii_lowercase()))),
                CaseSensitivity::Sensitive => self.chars(run),
            }
            rest = special;
            let Some(c) = rest.chars().next() else { return };
            if case == CaseSensitivity::Sensitive && rest.starts_with("${") {
                // IAM User Guide, "IAM policy elements: Variables and tags": `${*}`, `${?}`, `${$}` are the characters.
                if let Some(end) = rest.find('}') {
                    match &rest[2..end] {
                        inner @ ("*" | "?" | "$") => self.chars(inner),
                        name => self.hole(Unknown {
                            class: SymbolClass::Variable,
                            name: Arc::from(name.split(',').next().unwrap_or(name).trim().to_ascii_lowercase()),
                            target: None,
                        }),
                    }
                    rest = &rest[end + 1..];
                    continue;
                }
            }
            self.tokens.push(match c {
                '*' => Token::Many,
                '?' => Token::One,
                c => Token::Char(c),
            });
            rest = &rest[c.len_utf8()..];
        }
    }

    /// In each run of wildcards the `?`s first, then at most one `*`: one spelling for one meaning.
    fn normalize(&mut self) {
        let wild = |t: &Token| matches!(t, Token::Many | Token::One);
        let in_order = |w: &[Token]| w[0] != Token::Many || !wild(&w[1]);
        if self.tokens.windows(2).all(in_order) {
            return;
        }
        let mut out = Vec::with_capacity(self.tokens.len());
        let mut many = false;
        for &token in &self.tokens {
            match token {
                Token::Many => many = true,
                Token::One => out.push(token),
                Token::Char(_) | Token::Hole(_) => {
                    if std::mem::take(&mut many) {
                        out.push(Token::Many);
                    }
                    out.push(token);
                }
            }
        }
        if many {
            out.push(Token::Many);
        }
        self.tokens = out;
    }

    /// Only stars.
    pub fn is_star(&self) -> bool {
        self.tokens == [Token::Many]
    }

    /// No hole and no policy variable.
    pub fn is_known(&self) -> bool {
        self.holes.is_empty()
    }

    /// Has a `*` or a `?` outside holes.
    pub fn has_wildcard(&self) -> bool {
        self.tokens.iter().any(|t| matches!(t, Token::Many | Token::One))
    }

    /// Whether `text`, in which nothing is special, is one of the strings of this pattern.
    pub fn matches(&self, text: &str, case: CaseSensitivity) -> Truth {
        let mut literal = Self {
            tokens: Vec::with_capacity(text.len()),
            holes: Vec::new(),
        };
        match case {
            CaseSensitivity::Sensitive => literal.chars(text),
            CaseSensitivity::Insensitive => literal.chars(&text.to_ascii_lowercase()),
        }
        self.overlaps(&literal)
    }

    /// Whether every string that `other` can be is matched by this pattern.
    pub fn covers(&self, other: &Self) -> Truth {
        self.ask(other, Self::includes)
    }

    /// Whether some string is matched by both.
    pub fn overlaps(&self, other: &Self) -> Truth {
        self.ask(other, Self::intersects)
    }
}

/// Whether a reference to one existing thing stands for the name of a bucket, by its attribute: `data.aws_s3_bucket.logs.id`,
/// `bucket.bucket_name`, `module.logs.s3_bucket_id`.
fn is_bucket_name(reference: &str) -> bool {
    let Some((of, attribute)) = reference.rsplit_once('.') else {
        return false;
    };
    matches!(attribute, "bucket_name" | "s3_bucket_id" | "s3_bucket_name")
        || (matches!(attribute, "bucket" | "id") && of.starts_with("data.aws_s3_bucket."))
}

/// Whether `literal`, in which nothing is special, is one of the strings of `pattern`.
pub fn matches(pattern: &Text, literal: &str, case: CaseSensitivity) -> Truth {
    if let Some(known) = pattern.known()
        && (case == CaseSensitivity::Insensitive || !known.contains("${"))
    {
        return super::glob::matches(&known, literal, case).into();
    }
    Pattern::new(pattern, case).matches(literal, case)
}

/// Whether every string that `b` can be is matched by `a`.
pub fn covers(a: &Text, b: &Text, case: CaseSensitivity) -> Truth {
    Pattern::new(a, case).covers(&Pattern::new(b, case))
}

/// Whether some string is matched by both.
pub fn overlaps(a: &Text, b: &Text, case: CaseSensitivity) -> Truth {
    Pattern::new(a, case).overlaps(&Pattern::new(b, case))
}

/// `*`, `**`, …: only stars, all of it known.
pub fn is_star(text: &Text) -> bool {
    text.known()
        .is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b == b'*'))
}

/// Has a `*` or a `?` in its known parts; `${*}` is not one.
pub fn has_wildcard(text: &Text) -> bool {
    match text.known() {
        Some(known) if !known.contains('$') => super::glob::is_pattern(&known),
        _ => Pattern::resource(text).has_wildcard(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::source::{FileId, Hole, Span};
    use Truth::{No, Unknown as Maybe, Yes};

    /// `‹account›`, `‹region›`, `‹partition›`, `‹suffix›` (of URLs) and `‹anything else›` become holes.
    pub(crate) fn text(s: &str) -> Text {
        let file = FileId(0);
        let mut out = Text::default();
        let mut rest = s;
        while let Some(at) = rest.find('‹') {
            if at > 0 {
                out.append(&Text::verbatim(&rest[..at], file, 0));
            }
            let end = rest.find('›').unwrap();
            let name = &rest[at + '‹'.len_utf8()..end];
            let kind = match name {
                "account" => HoleKind::Account,
                "region" => HoleKind::Region,
                "partition" => HoleKind::Partition,
                "suffix" => HoleKind::UrlSuffix,
                "logs.bucket_name" => HoleKind::Existing,
                _ => HoleKind::Input,
            };
            out.append(&Text::hole(Hole::new(kind, name, Span::new(file, 0, 1))));
            rest = &rest[end + '›'.len_utf8()..];
        }
        if !rest.is_empty() {
            out.append(&Text::verbatim(rest, file, 0));
        }
        out
    }

    #[test]
    fn matching_with_holes() {
        for (pattern, literal, expected) in [
            (
                "arn:aws:iam::‹account›:role/x",
                "arn:aws:iam::123456789012:role/x",
                Maybe,
            ),
            ("arn:aws:iam::‹account›:role/x", "arn:aws:iam::123456789012:role/y", No),
            ("arn:aws:iam::‹account›:role/x", "arn:aws:iam::aws:role/x", No),
            ("‹v›", "anything", Maybe),
            ("arn:aws:s3:::‹logs.bucket_name›", "arn:aws:s3:::logs", Maybe),
            ("arn:aws:s3:::‹logs.bucket_name›", "arn:aws:s3:::logs/2026", No),
            ("arn:aws:s3:::‹logs.bucket_name›/*", "arn:aws:s3:::logs/2026", Maybe),
            ("arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::bob/x", Maybe),
            ("arn:aws:s3:::a${*}b", "arn:aws:s3:::a*b", Yes),
            ("arn:aws:s3:::a${*}b", "arn:aws:s3:::axb", No),
            ("*", "x", Yes),
        ] {
            assert_eq!(
                matches(&text(pattern), literal, CaseSensitivity::Sensitive),
                expected,
                "{pattern} {literal}"
            );
        }
    }

    #[test]
    fn covering_with_holes() {
        for (a, b, expected) in [
            ("arn:aws:s3:::*", "arn:aws:s3:::‹b›/*", Yes),
            ("arn:aws:s3:::‹b›/*", "arn:aws:s3:::‹b›/x/*", Yes),
            ("arn:aws:s3:::‹b›/*", "arn:aws:s3:::‹c›/x/*", Maybe),
            ("arn:aws:iam::‹account›:role/x", "arn:aws:iam::*:role/x", No),
            ("arn:aws:iam::*:role/x", "arn:aws:iam::‹account›:role/x", Yes),
            ("arn:aws:s3:::b", "‹v›", Maybe),
            ("‹v›", "*", Maybe),
            ("${aws:username}", "*", No),
            ("*", "‹v›", Yes),
            ("x‹v›", "y*", No),
            ("xyz", "x‹v›", Maybe),
            ("xyz", "y‹v›", No),
            ("xyz", "x‹v›q", No),
        ] {
            assert_eq!(
                covers(&text(a), &text(b), CaseSensitivity::Sensitive),
                expected,
                "{a} covers {b}"
            );
        }
    }

    #[test]
    fn overlapping_with_holes() {
        for (a, b, expected) in [
            ("arn:aws:s3:::b/*", "arn:aws:s3:::‹v›", Maybe),
            ("arn:aws:s3:::*/*", "arn:aws:s3:::‹logs.bucket_name›", No),
            ("arn:aws:s3:::*", "arn:aws:s3:::‹v›", Yes),
            ("arn:aws:sqs:‹region›:‹account›:q", "arn:aws:sqs:us-east-1:*:q", Maybe),
            ("arn:aws:sqs:*:‹account›:q", "arn:aws:sqs:us-east-1:‹account›:q", Yes),
            ("arn:aws:sqs:‹region›:1:q", "arn:aws:sqs:US/EAST:1:q", No),
            ("a‹v›", "b*", No),
        ] {
            assert_eq!(
                overlaps(&text(a), &text(b), CaseSensitivity::Sensitive),
                expected,
                "{a} overlaps {b}"
            );
            assert_eq!(
                overlaps(&text(b), &text(a), CaseSensitivity::Sensitive),
                expected,
                "{b} overlaps {a}"
            );
        }
    }

    #[test]
    fn covering_implies_overlapping() {
        let parts = [
            "",
            "a",
            "b",
            "*",
            "?",
            "ab",
            "a*",
            "*b",
            "a?b*",
            "‹v›",
            "a‹v›",
            "‹v›*",
            "‹account›",
        ];
        for a in parts {
            for b in parts {
                let (ta, tb) = (text(a), text(b));
                if covers(&ta, &tb, CaseSensitivity::Sensitive).is_yes() {
                    assert!(overlaps(&ta, &tb, CaseSensitivity::Sensitive).is_yes(), "{a} {b}");
                }
                if overlaps(&ta, &tb, CaseSensitivity::Sensitive).is_no() {
                    assert!(covers(&ta, &tb, CaseSensitivity::Sensitive).is_no(), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn inclusion_agrees_with_enumeration() {
        let patterns = [
            "", "a", "b", "*", "?", "a*", "*a", "a?", "?a", "*a*", "a*b", "ab", "?*", "??", "a*a",
        ];
        let mut words = vec![String::new()];
        for len in 0..4 {
            let longer: Vec<String> = words
                .iter()
                .filter(|w| w.len() == len)
                .flat_map(|w| ["a", "b", "z"].map(|c| format!("{w}{c}")))
                .collect();
            words.extend(longer);
        }
        for a in patterns {
            for b in patterns {
                let strings = |p: &str| -> Vec<bool> {
                    words
                        .iter()
                        .map(|w| super::super::glob::matches(p, w, CaseSensitivity::Sensitive))
                        .collect()
                };
                let (sa, sb) = (strings(a), strings(b));
                let meets = sa.iter().zip(&sb).any(|(x, y)| *x && *y);
                let included = sa.iter().zip(&sb).all(|(x, y)| *x || !*y);
                assert_eq!(
                    super::super::glob::overlaps(a, b, CaseSensitivity::Sensitive),
                    meets,
                    "{a} meets {b}"
                );
                let says = super::super::glob::covers(a, b, CaseSensitivity::Sensitive);
                assert!(
                    if a.contains('?') {
                        !says || included
                    } else {
                        says == included
                    },
                    "{a} covers {b}"
                );
            }
        }
    }
}
