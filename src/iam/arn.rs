//! ARNs as patterns, and how wide they are. IAM User Guide, "IAM identifiers"; AWS General Reference, "ARNs".

use super::glob::Case;
use super::pattern::{Pattern, is_star};
use crate::source::{Hole, HoleKind, Text};

/// The parts of `arn:partition:service:region:account:resource`, each with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    pub partition: Text,
    pub service: Text,
    pub region: Text,
    pub account: Text,
    /// All that follows the fifth colon: `role/path/name`, `function:f:1`.
    pub resource: Text,
}

/// What a text in the place of an ARN looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    Arn(Arn),
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
pub enum Field {
    Empty,
    Literal(String),
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

impl Arn {
    /// The parts, where `text` is written as an ARN of at least six of them.
    pub fn parse(text: &Text) -> Option<Self> {
        match shape(text) {
            Shape::Arn(arn) => Some(arn),
            _ => None,
        }
    }

    /// The known service.
    pub fn service(&self) -> Option<String> {
        match field(&self.service) {
            Field::Literal(s) => Some(s),
            _ => None,
        }
    }

    pub fn account(&self) -> Field {
        field(&self.account)
    }

    pub fn region(&self) -> Field {
        field(&self.region)
    }

    pub fn partition(&self) -> Field {
        field(&self.partition)
    }

    /// The known beginning of the resource up to the first `/` or `:` (`role`, `function`), or all of it.
    pub fn resource_type(&self) -> String {
        let prefix = self.resource.prefix();
        prefix.split(['/', ':']).next().unwrap_or_default().to_owned()
    }

    /// The resource after its type and the separator.
    pub fn resource_id(&self) -> Text {
        let flat = self.resource.with_placeholders();
        match flat.find(['/', ':']) {
            Some(at) => self.resource.slice(at + 1..flat.len()),
            None => self.resource.clone(),
        }
    }
}

/// Where the colons between fields stand; those inside `${…}` do not count.
fn separators(flat: &str) -> Vec<usize> {
    let mut out = Vec::with_capacity(5);
    let mut skip_to = 0;
    for (i, c) in flat.char_indices() {
        if i < skip_to {
            continue;
        }
        if flat[i..].starts_with("${")
            && let Some(end) = flat[i..].find('}')
        {
            skip_to = i + end + 1;
        } else if c == ':' {
            out.push(i);
            if out.len() == 5 {
                break;
            }
        }
    }
    out
}

pub fn shape(text: &Text) -> Shape {
    if is_star(text) {
        return Shape::Star;
    }
    let flat = text.with_placeholders();
    let at = separators(&flat);
    let starts_with_hole =
        flat.chars().next().is_some_and(|c| Text::placeholder(c).is_some()) || flat.starts_with("${");
    let head = &flat[..at.first().copied().unwrap_or(flat.len())];
    if let [a, b, c, d, e] = at[..]
        && head == "arn"
    {
        return Shape::Arn(Arn {
            partition: text.slice(a + 1..b),
            service: text.slice(b + 1..c),
            region: text.slice(c + 1..d),
            account: text.slice(d + 1..e),
            resource: text.slice(e + 1..flat.len()),
        });
    }
    if starts_with_hole {
        return Shape::Hole;
    }
    let holes = flat.chars().any(|c| Text::placeholder(c).is_some());
    if head == "arn" && !flat.contains('*') {
        return if holes {
            Shape::Hole
        } else {
            Shape::TooShort(at.len() + 1)
        };
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
        Shape::TooShort(at.len() + 1)
    } else {
        Shape::Other
    }
}

/// What stands in one field.
pub fn field(text: &Text) -> Field {
    if text.is_empty() {
        return Field::Empty;
    }
    if is_star(text) {
        return Field::Any;
    }
    if let Some(hole) = text.as_hole() {
        return Field::Hole(Some(hole.kind));
    }
    match text.known() {
        None => Field::Hole(None),
        Some(t) if t.contains("${") => Field::Hole(None),
        Some(t) if t.contains(['*', '?']) => Field::Pattern,
        Some(t) => Field::Literal(t.into_owned()),
    }
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
            let only = |allowed: &[&str]| {
                flat.split(':')
                    .all(|f| allowed.contains(&f) || f.bytes().all(|b| b == b'*'))
            };
            let named = flat
                .split(':')
                .nth(2)
                .is_some_and(|s| !s.is_empty() && !s.contains('*'));
            return if only(&["arn", "aws", "aws-cn", "aws-us-gov", ""]) {
                Breadth::Everything
            } else if named && flat.split(':').skip(3).all(|f| f.bytes().all(|b| b == b'*')) {
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
    if flat.bytes().all(|b| b == b'*') && !flat.is_empty() {
        let anywhere = |f: Field| matches!(f, Field::Any | Field::Empty);
        let everywhere = anywhere(parts.region()) && anywhere(parts.account());
        return match field(&parts.service) {
            Field::Any if everywhere => Breadth::Everything,
            _ if everywhere => Breadth::WholeService,
            _ => Breadth::AccountWide,
        };
    }
    if !parts.resource.is_known() && parts.resource.as_hole().is_some() {
        return Breadth::Exact;
    }
    if !Pattern::resource(&parts.resource).has_wildcard() {
        return Breadth::Exact;
    }
    // Names of S3 objects and of queues come without a type: `arn:aws:s3:::bucket/*`.
    let typed = !matches!((parts.region(), parts.account()), (Field::Empty, Field::Empty));
    let mut segments = flat.split(['/', ':']);
    let first = segments.next().unwrap_or_default();
    let stars = |s: &str| s.bytes().all(|b| b == b'*');
    if typed && !first.contains(['*', '?']) {
        // What follows the type: a star in the place of the name and no name anywhere else.
        match segments.next() {
            // `user/*/${aws:username}` is one name under any path.
            Some(name) if !name.is_empty() && stars(name) && segments.next_back().is_none_or(stars) => {
                Breadth::WholeType
            }
            _ => Breadth::Prefix,
        }
    } else if stars(first) && segments.all(stars) {
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
            if !Pattern::resource(arn).has_wildcard() {
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
        let arn = Arn::parse(&text("arn:aws:iam::‹account›:role/a/${aws:username}")).unwrap();
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
