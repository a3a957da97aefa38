//! ARNs as patterns, and how wide they are. IAM User Guide, "IAM identifiers"; AWS General Reference, "ARNs".

use std::borrow::Cow;

use super::glob::{self, Case};
use super::pattern::{Pattern, has_wildcard, is_star};
use crate::source::{Hole, HoleKind, Part, Text};

/// The parts of `arn:partition:service:region:account:resource`, each with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'t> {
    pub partition: Part<'t>,
    pub service: Part<'t>,
    pub region: Part<'t>,
    pub account: Part<'t>,
    /// All that follows the fifth colon: `role/path/name`, `function:f:1`.
    pub resource: Part<'t>,
}

/// What a text in the place of an ARN looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape<'t> {
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
pub enum Field<'t> {
    Empty,
    Literal(Cow<'t, str>),
    /// Only stars.
    Any,
    /// Has a wildcard and more.
    Pattern,
    /// Has an unknown part; the kind of the only one, if it is the whole field.
    Hole(Option<HoleKind>),
}

/// How much of a service a resource pattern takes in, the widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breadth {
    /// Every resource there is: `*`, `arn:*`, `arn:aws:*:*:*:*`.
    Everything,
    /// Every resource of one service in every account: `arn:aws:s3:::*`, `arn:aws:sqs:*:*:*`.
    WholeService,
    /// Every resource of one service in one account or one region.
    AccountWide,
    /// Every resource of one type: `role/*`, `secret:*`, `arn:aws:s3:::*/*`.
    WholeType,
    /// A wildcard beside a known part of the name.
    Prefix,
    /// One resource.
    Exact,
    /// A hole decides.
    Unknown,
}

impl Breadth {
    /// As good as `*` for some service: what `resource-effectively-star` is about.
    pub fn is_star_like(self) -> bool {
        self <= Self::WholeService
    }
}

impl<'t> Arn<'t> {
    /// The parts, where `text` is written as an ARN of at least six of them.
    pub fn parse(text: &'t Text) -> Option<Self> {
        match shape(text) {
            Shape::Arn(arn) => Some(arn),
            _ => None,
        }
    }

    /// The known service.
    pub fn service(&self) -> Option<Cow<'t, str>> {
        match field(self.service) {
            Field::Literal(s) => Some(s),
            _ => None,
        }
    }

    pub fn account(&self) -> Field<'t> {
        field(self.account)
    }

    pub fn region(&self) -> Field<'t> {
        field(self.region)
    }

    pub fn partition(&self) -> Field<'t> {
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
    pub fn resource_id(&self) -> Part<'t> {
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

pub fn shape(text: &Text) -> Shape<'_> {
    if is_star(text) {
        return Shape::Star;
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
        return Shape::Arn(Arn {
            partition: text.part(a + 1..b),
            service: text.part(b + 1..c),
            region: text.part(c + 1..d),
            account: text.part(d + 1..e),
            resource: text.part(e + 1..flat.len()),
        });
    }
    if starts_with_hole {
        return Shape::Hole;
    }
    let holes = flat.chars().any(|c| Text::placeholder(c).is_some());
    if head == "arn" && !flat.contains('*') {
        return if holes { Shape::Hole } else { Shape::TooShort(fields) };
    }
    if Pattern::resource(text)
        .overlaps(&Pattern::plain("arn:?*:?*:*:*:?*", Case::Sensitive))
        .may_be()
    {
        return if flat.contains('*') {
            Shape::Wildcard
        } else {
            Shape::Hole
        };
    }
    if head == "arn" {
        Shape::TooShort(fields)
    } else {
        Shape::Other
    }
}

/// What stands in one field.
pub fn field(part: Part<'_>) -> Field<'_> {
    match part.known() {
        None => Field::Hole(part.as_hole().map(|hole| hole.kind)),
        Some(t) if t.is_empty() => Field::Empty,
        Some(t) if is_stars(&t) => Field::Any,
        Some(t) if t.contains("${") => Field::Hole(None),
        Some(t) if glob::is_pattern(&t) => Field::Pattern,
        Some(t) => Field::Literal(t),
    }
}

fn is_stars(text: &str) -> bool {
    text.bytes().all(|b| b == b'*')
}

/// Twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A hole that stands for a whole ARN: a resource of the repository by its `arn`, as each format spells that attribute.
pub fn is_whole_arn(hole: &Hole) -> bool {
    hole.kind == HoleKind::Resource
        && hole.target.as_ref().is_some_and(|t| {
            let a = t.attribute.to_ascii_lowercase();
            a == "arn" || a.ends_with("_arn") || a.ends_with("arn")
        })
}

/// Whether `arn` takes in every `kind` of IAM (`role`, `user`) of some account, as `*` and `arn:aws:iam::*:role/*` do, and
/// `role/app-*` does not.
pub fn is_every(arn: &Text, kind: &str) -> bool {
    if widest(arn) > Breadth::WholeType {
        return false;
    }
    let one = format!("{kind}/x");
    match shape(arn) {
        Shape::Arn(parts) => {
            let fits = |part: Part<'_>, what: &str| {
                Pattern::new(&part.to_text(), Case::Sensitive).matches(what, Case::Sensitive)
            };
            fits(parts.service, "iam").and(fits(parts.resource, &one)).may_be()
        }
        _ => Pattern::resource(arn)
            .matches(&format!("arn:aws:iam::111122223333:{one}"), Case::Sensitive)
            .may_be(),
    }
}

/// How much `arn` takes in.
pub fn widest(arn: &Text) -> Breadth {
    if is_star(arn) {
        return Breadth::Everything;
    }
    let parts = match shape(arn) {
        Shape::Arn(parts) => parts,
        Shape::Hole => return hole_breadth(arn),
        Shape::Star => return Breadth::Everything,
        Shape::Wildcard => {
            // `arn:aws:s3*`, `*:*`: what an ARN of no particular kind would need.
            let flat = arn.with_placeholders();
            let only = |allowed: &[&str]| flat.split(':').all(|f| allowed.contains(&f) || is_stars(f));
            let named = flat
                .split(':')
                .nth(2)
                .is_some_and(|s| !s.is_empty() && !s.contains('*'));
            return if only(&["arn", "aws", "aws-cn", "aws-us-gov", ""]) {
                Breadth::Everything
            } else if named && flat.split(':').skip(3).all(is_stars) {
                Breadth::WholeService
            } else {
                Breadth::Prefix
            };
        }
        Shape::TooShort(_) | Shape::Other => {
            return if arn.is_known() {
                Breadth::Exact
            } else {
                Breadth::Unknown
            };
        }
    };
    let flat = parts.resource.with_placeholders();
    if is_stars(&flat) && !flat.is_empty() {
        let anywhere = |f: Field<'_>| matches!(f, Field::Any | Field::Empty);
        let everywhere = anywhere(parts.region()) && anywhere(parts.account());
        return match field(parts.service) {
            Field::Any if everywhere => Breadth::Everything,
            _ if everywhere => Breadth::WholeService,
            _ => Breadth::AccountWide,
        };
    }
    if !parts.resource.is_known() && parts.resource.as_hole().is_some() {
        return Breadth::Exact;
    }
    let wild = match parts.resource.known() {
        Some(known) if !known.contains('$') => glob::is_pattern(&known),
        _ => has_wildcard(&parts.resource.to_text()),
    };
    if !wild {
        return Breadth::Exact;
    }
    // Names of S3 objects and of queues come without a type: `arn:aws:s3:::bucket/*`.
    let typed = !matches!((parts.region(), parts.account()), (Field::Empty, Field::Empty));
    let mut segments = flat.split(['/', ':']);
    let first = segments.next().unwrap_or_default();
    if typed && !first.contains(['*', '?']) {
        // What follows the type: a star in the place of the name and no name anywhere else.
        match segments.next() {
            // `user/*/${aws:username}` is one name under any path.
            Some(name) if !name.is_empty() && is_stars(name) && segments.next_back().is_none_or(is_stars) => {
                Breadth::WholeType
            }
            _ => Breadth::Prefix,
        }
    } else if is_stars(first) && segments.all(is_stars) {
        Breadth::WholeType
    } else {
        Breadth::Prefix
    }
}

fn hole_breadth(arn: &Text) -> Breadth {
    let whole = arn.as_hole();
    match whole {
        Some(h) if h.kind == HoleKind::Resource => Breadth::Exact,
        Some(_) => Breadth::Unknown,
        None => {
            if !has_wildcard(arn) {
                Breadth::Exact
            } else {
                Breadth::Prefix
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::text;
    use super::*;

    #[test]
    fn parts_and_shapes() {
        let written = text("arn:aws:iam::‹account›:role/a/${aws:username}");
        let arn = Arn::parse(&written).unwrap();
        assert_eq!(arn.account(), Field::Hole(Some(HoleKind::Account)));
        assert_eq!(arn.resource_type(), "role");
        assert_eq!(arn.resource_id().display(), "a/${aws:username}");
        assert_eq!(arn.service().as_deref(), Some("iam"));
        for (t, expected) in [
            ("*", Shape::Star),
            ("arn:*", Shape::Wildcard),
            ("*:*", Shape::Wildcard),
            ("‹v›/*", Shape::Hole),
            ("arn:aws:s3", Shape::TooShort(3)),
            ("bucket", Shape::Other),
            ("", Shape::Other),
        ] {
            assert_eq!(shape(&text(t)), expected, "{t}");
        }
    }

    #[test]
    fn breadth() {
        use Breadth::*;
        for (t, expected) in [
            ("*", Everything),
            ("**", Everything),
            ("*:*", Everything),
            ("arn:*", Everything),
            ("arn:aws:*", Everything),
            ("arn:aws:*:*:*:*", Everything),
            ("arn:‹partition›:*:*:*:*", Everything),
            ("arn:aws:s3:::*", WholeService),
            ("arn:‹partition›:s3:::*", WholeService),
            ("arn:aws:s3:*", WholeService),
            ("arn:aws:sqs:*:*:*", WholeService),
            ("arn:aws:sqs:‹region›:‹account›:*", AccountWide),
            ("arn:aws:dynamodb:*:123456789012:*", AccountWide),
            ("arn:aws:s3:::*/*", WholeType),
            ("arn:aws:iam::*:role/*", WholeType),
            ("arn:aws:iam::‹account›:role/*", WholeType),
            ("arn:aws:secretsmanager:*:*:secret:*", WholeType),
            ("arn:aws:logs:*:*:log-group:*:*", WholeType),
            ("arn:aws:dynamodb:*:*:table/*/index/*", WholeType),
            ("arn:aws:iam::*:role/service-role/*", Prefix),
            ("arn:aws:iam::*:role/x-*", Prefix),
            ("arn:aws:iam::*:user/*/${aws:username}", Prefix),
            ("arn:aws:s3:::b/*", Prefix),
            ("arn:aws:s3:::‹v›/*", Prefix),
            ("‹v›/*", Prefix),
            ("arn:aws:s3:::b", Exact),
            ("arn:aws:s3:::‹v›", Exact),
            ("‹v›", Unknown),
        ] {
            assert_eq!(widest(&text(t)), expected, "{t}");
        }
    }
}
