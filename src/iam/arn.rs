//! ARNs as patterns, and how wide they are. IAM User Guide, "IAM identifiers"; AWS General Reference, "ARNs".

use std::borrow::Cow;

use super::glob::{self, CaseSensitivity};
use super::pattern::{Pattern, is_star};
use crate::source::{HoleKind, Text, TextSlice};

pub use super::breadth::{Breadth, breadth_of, covers_every, fully_covered_types};

/// The parts of `arn:partition:service:region:account:resource`, each with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'t> {
    pub partition: TextSlice<'t>,
    pub service: TextSlice<'t>,
    pub region: TextSlice<'t>,
    pub account: TextSlice<'t>,
    /// All that follows the fifth colon: `role/path/name`, `function:f:1`.
    pub resource: TextSlice<'t>,
}

/// What a text in the place of an ARN looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArnShape<'t> {
    Arn(Arn<'t>),
    /// `*`
    Star,
    /// Wildcards stand for whole fields: `arn:*`, `*:role/x`.
    Wildcard,
    /// It starts with a hole that may be all of an ARN, or its beginning: `${Bucket.Arn}/*`.
    Hole,
    /// Begins with `arn:` and has fewer than six parts: the number of parts that it has.
    TooShort(usize),
    /// No ARN.
    Other,
}

/// One field of an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArnField<'t> {
    Empty,
    Literal(Cow<'t, str>),
    /// Only stars.
    Any,
    /// Has a wildcard and more.
    Pattern,
    /// Has an unknown part; the kind of the only one, if it is the whole field.
    Hole(Option<HoleKind>),
}

impl<'t> Arn<'t> {
    /// Within what a wildcard for the resource reaches: one region, where the ARN names one.
    pub fn wildcard_reach(&self) -> &'static str {
        match self.region() {
            ArnField::Literal(_) | ArnField::Hole(_) => "this Region and account",
            ArnField::Empty | ArnField::Any | ArnField::Pattern => "the account",
        }
    }

    /// The parts, where `text` is written as an ARN of at least six of them.
    pub fn parse(text: &'t Text) -> Option<Self> {
        match arn_shape(text) {
            ArnShape::Arn(arn) => Some(arn),
            _ => None,
        }
    }

    /// The known service.
    pub fn service(&self) -> Option<Cow<'t, str>> {
        match field(self.service) {
            ArnField::Literal(s) => Some(s),
            _ => None,
        }
    }

    /// Twelve `?` stand for any account, as a star does.
    pub fn account(&self) -> ArnField<'t> {
        match field(self.account) {
            ArnField::Pattern if is_any_account(self.account) => ArnField::Any,
            field => field,
        }
    }

    pub fn region(&self) -> ArnField<'t> {
        field(self.region)
    }

    pub fn partition(&self) -> ArnField<'t> {
        field(self.partition)
    }

    /// The known beginning of the resource up to the first `/` or `:` (`role`, `function`), or all of it.
    pub fn resource_type(&self) -> Cow<'t, str> {
        let end = |prefix: &str| prefix.find(['/', ':']).unwrap_or(prefix.len());
        match self.resource.prefix() {
            Cow::Borrowed(prefix) => Cow::Borrowed(&prefix[..end(prefix)]),
            Cow::Owned(prefix) => Cow::Owned(prefix[..end(&prefix)].to_owned()),
        }
    }

    /// The resource after its type and the separator.
    pub fn resource_id(&self) -> TextSlice<'t> {
        match self.resource.with_placeholders().find(['/', ':']) {
            Some(at) => self.resource.after(at + 1),
            None => self.resource,
        }
    }
}

/// Where the first five colons between fields stand; those inside `${…}` do not count.
fn separators(flat: &str) -> impl Iterator<Item = usize> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + flat[from..].find([':', '$'])?;
            from = at + 1;
            if flat[at..].starts_with(':') {
                return Some(at);
            }
            if flat[at..].starts_with("${")
                && let Some(end) = flat[at..].find('}')
            {
                from = at + end + 1;
            }
        }
    })
    .take(5)
}

pub fn arn_shape(text: &Text) -> ArnShape<'_> {
    if is_star(text) {
        return ArnShape::Star;
    }
    let flat = text.with_placeholders();
    let mut colons = separators(&flat);
    let at: [Option<usize>; 5] = std::array::from_fn(|_| colons.next());
    let starts_with_hole =
        flat.chars().next().is_some_and(|c| Text::placeholder(c).is_some()) || flat.starts_with("${");
    let head = &flat[..at[0].unwrap_or(flat.len())];
    let fields = at.iter().flatten().count() + 1;
    if let [Some(a), Some(b), Some(c), Some(d), Some(e)] = at
        && head == "arn"
    {
        return ArnShape::Arn(Arn {
            partition: text.part(a + 1..b),
            service: text.part(b + 1..c),
            region: text.part(c + 1..d),
            account: text.part(d + 1..e),
            resource: text.part(e + 1..flat.len()),
        });
    }
    if starts_with_hole {
        return ArnShape::Hole;
    }
    let holes = flat.chars().any(|c| Text::placeholder(c).is_some());
    if head == "arn" && !flat.contains('*') {
        return if holes {
            ArnShape::Hole
        } else {
            ArnShape::TooShort(fields)
        };
    }
    if Pattern::resource(text)
        .overlaps(&Pattern::plain("arn:?*:?*:*:*:?*", CaseSensitivity::Sensitive))
        .may_be()
    {
        return if flat.contains('*') {
            ArnShape::Wildcard
        } else {
            ArnShape::Hole
        };
    }
    if head == "arn" {
        ArnShape::TooShort(fields)
    } else {
        ArnShape::Other
    }
}

/// What stands in one field.
pub fn field(part: TextSlice<'_>) -> ArnField<'_> {
    match part.known() {
        None => ArnField::Hole(part.as_hole().map(|hole| hole.kind)),
        Some(t) if t.is_empty() => ArnField::Empty,
        Some(t) if is_stars(&t) => ArnField::Any,
        Some(t) if t.contains("${") => ArnField::Hole(None),
        Some(t) if glob::is_pattern(&t) => ArnField::Pattern,
        Some(t) => ArnField::Literal(t),
    }
}

pub(super) fn is_stars(text: &str) -> bool {
    text.bytes().all(|b| b == b'*')
}

/// Whether a pattern matches every account ID: `?` for each digit, or stars.
fn is_any_account(account: TextSlice<'_>) -> bool {
    let known = account.known();
    known.is_some_and(|a| glob::matches(&a, &"\u{1}".repeat(12), CaseSensitivity::Sensitive))
}

/// Twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::text;
    use super::*;

    #[test]
    fn parts_and_shapes() {
        let written = text("arn:aws:iam::‹account›:role/a/${aws:username}");
        let arn = Arn::parse(&written).unwrap();
        assert_eq!(arn.account(), ArnField::Hole(Some(HoleKind::Account)));
        assert_eq!(arn.resource_type(), "role");
        assert_eq!(arn.resource_id().display(), "a/${aws:username}");
        assert_eq!(arn.service().as_deref(), Some("iam"));
        for (t, expected) in [
            ("*", ArnShape::Star),
            ("arn:*", ArnShape::Wildcard),
            ("*:*", ArnShape::Wildcard),
            ("‹v›/*", ArnShape::Hole),
            ("arn:aws:s3", ArnShape::TooShort(3)),
            ("bucket", ArnShape::Other),
            ("", ArnShape::Other),
        ] {
            assert_eq!(arn_shape(&text(t)), expected, "{t}");
        }
    }
}
