//! Strings as the program will see them, each byte knowing where in which file it was written.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::{FileId, Span};

/// First of the characters that stand for holes in [`Text::with_placeholders`]; the n-th hole is this plus n.
const PLACEHOLDER: u32 = 0xF_0000;
/// How many holes one text can mark; supplementary private use plane A.
const PLACEHOLDERS: u32 = 0xFFFE;

/// What is known of a part that is not known: enough to say whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoleKind {
    /// The account that is deployed to: `${AWS::AccountId}`, `data.aws_caller_identity.x.account_id`.
    Account,
    /// `${AWS::Partition}`, `data.aws_partition.x.partition`.
    Partition,
    /// `${AWS::Region}`, `data.aws_region.x.name`.
    Region,
    /// `${AWS::URLSuffix}`, `data.aws_partition.x.dns_suffix`.
    UrlSuffix,
    /// A resource of the repository or one of its attributes; see [`Hole::target`].
    Resource,
    /// One thing that is there when this is deployed, by its name or ARN: the stack itself, what a data source looks up,
    /// what a module makes that is not in this repository, the value of a parameter that must name something. Never a
    /// pattern.
    Existing,
    /// A parameter, variable or argument whose value comes from outside.
    Input,
    /// What another value of an input may add where its default, or what is made of it, adds nothing. What is written is
    /// judged; what is not written is not missing.
    Default,
    /// A secret or parameter store look-up (`{{resolve:…}}`, `data.aws_secretsmanager_secret_version`): not a literal.
    Dynamic,
    /// Whatever a data source reads when this is deployed.
    Lookup,
    /// An output or export of something, or a file, that is not in this repository.
    Outside,
    /// What a plan leaves open until it is applied.
    Applied,
    /// What stands, or would have stood, where the file is broken.
    Broken,
    /// Anything else that we could not evaluate.
    Other,
}

impl HoleKind {
    /// Known as well as anything can be before deployment: which account, region or thing is meant is clear, and no
    /// value that it may have says anything else.
    pub fn is_placeholder(self) -> bool {
        match self {
            Self::Account | Self::Partition | Self::Region | Self::UrlSuffix | Self::Resource | Self::Existing => true,
            Self::Input
            | Self::Default
            | Self::Dynamic
            | Self::Lookup
            | Self::Outside
            | Self::Applied
            | Self::Broken
            | Self::Other => false,
        }
    }

    /// Why it is not known, for people.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Account | Self::Partition | Self::Region | Self::UrlSuffix | Self::Existing | Self::Resource => {
                "known only at deployment"
            }
            Self::Input => "an input without a value in this repository",
            Self::Default => "empty by default, and an input may add to it",
            Self::Dynamic => "read from a secret or parameter store",
            Self::Lookup => "looked up by a data source",
            Self::Outside => "not in this repository",
            Self::Applied => "known only after apply",
            Self::Broken => "the file is broken here",
            Self::Other => "could not be evaluated",
        }
    }
}

/// The resource that a hole stands for: resolved by `project`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoleTarget {
    /// The module instance, template or file in which `address` is a name; equal to `Address::scope` of the resource.
    pub scope: Arc<str>,
    /// Terraform address, logical id, or Python qualified name.
    pub address: Arc<str>,
    /// `arn`, `id`, `name`, … as the format spells it; empty for the resource itself (CloudFormation `Ref`).
    pub attribute: Arc<str>,
}

/// A part of a text, or a whole value, that is not known before deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    pub kind: HoleKind,
    /// How it is shown inside `${…}`: `var.bucket`, `AWS::Region`, `Bucket.Arn`.
    pub name: Arc<str>,
    pub target: Option<HoleTarget>,
    pub span: Span,
    /// Texts that it is not, where it stands for the rest of a set.
    pub others: Option<Arc<[Arc<str>]>>,
}

impl Hole {
    pub fn new(kind: HoleKind, name: impl Into<Arc<str>>, span: Span) -> Self {
        Self {
            kind,
            name: name.into(),
            target: None,
            span,
            others: None,
        }
    }

    /// What could not be read at `span`.
    pub fn broken(span: Span) -> Self {
        Self::new(HoleKind::Broken, "unread", span)
    }

    /// An input that is called an ARN, as `var.queue_arn` is: it holds one, and no pattern or list.
    pub fn is_given_arn(&self) -> bool {
        self.kind == HoleKind::Input && self.name.to_lowercase().ends_with("arn")
    }

    pub fn to(mut self, target: HoleTarget) -> Self {
        self.target = Some(target);
        self
    }
}

/// A run of decoded bytes and the source bytes that they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where the run starts in the decoded literal, and its length there.
    pub at: u32,
    pub len: u32,
    /// Where it starts in the file, and its length there. Equal lengths mean byte for byte; else the run is one unit (an
    /// escape, a value made by a function), and any part of it maps to the whole.
    pub src: u32,
    pub src_len: u32,
}

/// Decoded offset to place in a file. Segments are in order and do not overlap; gaps map to what comes before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetMap {
    pub file: FileId,
    pub segments: Segments,
}

/// Most texts are one run.
pub type Segments = SmallVec<[Segment; 1]>;

impl OffsetMap {
    /// Byte for byte from `start` on.
    pub fn verbatim(file: FileId, start: usize, len: usize) -> Self {
        let len = len as u32;
        Self {
            file,
            segments: smallvec![Segment {
                at: 0,
                len,
                src: start as u32,
                src_len: len,
            }],
        }
    }

    /// Every byte maps to all of `span`.
    pub fn whole(span: Span, len: usize) -> Self {
        let mut src_len = span.end - span.start;
        // Equal lengths would read as byte for byte; two runs keep the meaning and are never needed for one byte.
        let len = len as u32;
        let mut segments = Segments::new();
        if len == src_len && len > 1 {
            for at in 0..2 {
                let run = if at == 0 { 1 } else { len - 1 };
                src_len = span.end - span.start;
                segments.push(Segment {
                    at,
                    len: run,
                    src: span.start,
                    src_len,
                });
            }
        } else {
            segments.push(Segment {
                at: 0,
                len,
                src: span.start,
                src_len,
            });
        }
        Self {
            file: span.file,
            segments,
        }
    }

    /// The source bytes of `range`, a range of the decoded literal.
    pub fn span_of(&self, range: Range<usize>) -> Option<Span> {
        let start = self.locate(range.start, false)?;
        let end = if range.is_empty() {
            start
        } else {
            self.locate(range.end, true)?
        };
        Some(Span::new(self.file, start, end.max(start)))
    }

    fn locate(&self, at: usize, is_end: bool) -> Option<usize> {
        let i = if is_end {
            self.segments.partition_point(|s| (s.at as usize) < at)
        } else {
            self.segments.partition_point(|s| s.at as usize <= at)
        };
        let s = self.segments.get(i.checked_sub(1)?)?;
        let inside = at - s.at as usize;
        Some(if s.len == s.src_len {
            s.src as usize + inside.min(s.len as usize)
        } else if is_end || inside >= s.len as usize {
            (s.src + s.src_len) as usize
        } else {
            s.src as usize
        })
    }

    fn slice(&self, range: Range<usize>) -> Self {
        let first = self
            .segments
            .partition_point(|s| ((s.at + s.len) as usize) < range.start);
        let segments = self.segments[first..]
            .iter()
            .take_while(|s| s.at as usize <= range.end)
            .flat_map(|s| {
                let (from, to) = (s.at as usize, (s.at + s.len) as usize);
                let (a, b) = (from.max(range.start), to.min(range.end));
                if a > b || (a == b && from != to) {
                    return [None, None];
                }
                let (at, len) = ((a - range.start) as u32, (b - a) as u32);
                let run = |at, len| Segment { at, len, ..*s };
                if s.len == s.src_len {
                    let src = s.src + (a - from) as u32;
                    let src_len = len;
                    return [Some(Segment { at, len, src, src_len }), None];
                }
                if len == s.src_len && len > 1 {
                    // As in `whole`: a part of a unit is no byte for byte run, whatever its length.
                    return [Some(run(at, 1)), Some(run(at + 1, len - 1))];
                }
                [Some(run(at, len)), None]
            })
            .flatten()
            .collect();
        Self {
            file: self.file,
            segments,
        }
    }
}

/// A known run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lit {
    pub text: Arc<str>,
    pub map: OffsetMap,
}

/// A known or an unknown part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Lit(Lit),
    Hole(Arc<Hole>),
}

/// A string value: literal runs and holes, in order. Cloning is cheap: a text of a policy stands in the value, in the document,
/// and in findings.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text {
    pieces: Arc<Pieces>,
}

/// Most texts are one piece.
type Pieces = SmallVec<[Piece; 1]>;

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.display())
    }
}

impl Text {
    /// `text` as it stands in the file from byte `start` on, nothing escaped.
    pub fn verbatim(text: &str, file: FileId, start: usize) -> Self {
        Self::mapped(text, OffsetMap::verbatim(file, start, text.len()))
    }

    /// A text that was made rather than written; all of it points at `span`.
    pub fn synthetic(text: &str, span: Span) -> Self {
        Self::mapped(text, OffsetMap::whole(span, text.len()))
    }

    pub fn mapped(text: &str, map: OffsetMap) -> Self {
        let text = Arc::from(text);
        Self::from_pieces([Piece::Lit(Lit { text, map })])
    }

    pub fn hole(hole: Hole) -> Self {
        Self::from_pieces([Piece::Hole(Arc::new(hole))])
    }

    pub fn from_pieces(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self {
            pieces: Arc::new(pieces.into_iter().collect()),
        }
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub fn push(&mut self, piece: Piece) {
        Arc::make_mut(&mut self.pieces).push(piece);
    }

    /// Appends `other`.
    pub fn append(&mut self, other: &Self) {
        Arc::make_mut(&mut self.pieces).extend(other.pieces.iter().cloned());
    }

    /// With `text` in the place of each hole of a kind.
    pub fn filled(&self, kind: HoleKind, text: &str) -> Self {
        let mut out = Self::default();
        for piece in self.pieces() {
            match piece {
                Piece::Hole(hole) if hole.kind == kind => out.append(&Self::synthetic(text, hole.span)),
                _ => out.push(piece.clone()),
            }
        }
        out
    }

    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.pieces.iter().filter_map(|p| match p {
            Piece::Hole(h) => Some(&**h),
            Piece::Lit(_) => None,
        })
    }

    /// No unknown part.
    pub fn is_known(&self) -> bool {
        self.pieces.iter().all(|p| matches!(p, Piece::Lit(_)))
    }

    /// A part of it stands where the file is broken.
    pub fn is_broken(&self) -> bool {
        self.holes().any(|h| h.kind == HoleKind::Broken)
    }

    /// Known and empty.
    pub fn is_empty(&self) -> bool {
        self.pieces
            .iter()
            .all(|p| matches!(p, Piece::Lit(l) if l.text.is_empty()))
    }

    /// The whole text where all of it is known.
    #[inline]
    pub fn known(&self) -> Option<Cow<'_, str>> {
        match self.pieces.as_slice() {
            [] => Some(Cow::Borrowed("")),
            [Piece::Lit(l)] => Some(Cow::Borrowed(&l.text)),
            _ => self.joined().map(Cow::Owned),
        }
    }

    fn joined(&self) -> Option<String> {
        let mut out = String::new();
        for p in self.pieces() {
            match p {
                Piece::Lit(l) => out.push_str(&l.text),
                Piece::Hole(_) => return None,
            }
        }
        Some(out)
    }

    /// The single hole that is the whole text.
    pub fn as_hole(&self) -> Option<&Hole> {
        match self.pieces.as_slice() {
            [Piece::Hole(h)] => Some(h),
            _ => None,
        }
    }

    /// For people: unknown parts as `${name}`.
    pub fn display(&self) -> String {
        if let Some(known) = self.known() {
            return known.into_owned();
        }
        let mut out = String::new();
        for p in self.pieces() {
            match p {
                Piece::Lit(l) => out.push_str(&l.text),
                Piece::Hole(h) => {
                    out.push_str("${");
                    out.push_str(&h.name);
                    out.push('}');
                }
            }
        }
        out
    }

    /// The known text before the first hole.
    pub fn prefix(&self) -> String {
        let mut out = String::new();
        for p in self.pieces() {
            match p {
                Piece::Lit(l) => out.push_str(&l.text),
                Piece::Hole(_) => break,
            }
        }
        out
    }

    /// The text with one private-use character for each hole, for parsers of embedded languages; offsets in it are the
    /// offsets that [`Text::span_of`] and [`Text::slice`] take. Read back with [`Text::placeholder`].
    pub fn with_placeholders(&self) -> Cow<'_, str> {
        if let Some(known) = self.known() {
            return known;
        }
        let mut out = String::new();
        let mut n = 0;
        for p in self.pieces() {
            match p {
                Piece::Lit(l) => out.push_str(&l.text),
                Piece::Hole(_) => {
                    out.push(char::from_u32(PLACEHOLDER + n % PLACEHOLDERS).unwrap_or('\u{f0000}'));
                    n += 1;
                }
            }
        }
        Cow::Owned(out)
    }

    /// Whether `c` is a character of [`Text::with_placeholders`], and of which hole (counted from 0).
    pub fn placeholder(c: char) -> Option<usize> {
        let n = (c as u32).checked_sub(PLACEHOLDER)?;
        (n < PLACEHOLDERS).then_some(n as usize)
    }

    /// Length in bytes of [`Text::with_placeholders`].
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Self::piece_len).sum()
    }

    /// Where `range` (of [`Text::with_placeholders`]) is written: from its first part to its last, whatever was filled in
    /// between; `None` where these are of two files or it has no place.
    pub fn span_of(&self, range: Range<usize>) -> Option<Span> {
        Self::span_in(&self.pieces, range)
    }

    pub(super) fn span_in(pieces: &[Piece], range: Range<usize>) -> Option<Span> {
        let mut at = 0;
        let mut first: Option<Span> = None;
        let mut last: Option<Span> = None;
        for p in pieces {
            let len = Self::piece_len(p);
            let (from, to) = (at, at + len);
            at = to;
            let touches = if range.is_empty() {
                from <= range.start && range.start <= to
            } else {
                from < range.end && range.start < to
            };
            if !touches {
                continue;
            }
            let span = match p {
                Piece::Lit(l) => l
                    .map
                    .span_of(range.start.max(from) - from..range.end.min(to).max(from) - from)?,
                Piece::Hole(h) => h.span,
            };
            first.get_or_insert(span);
            last = Some(span);
            if range.is_empty() {
                break;
            }
        }
        let (first, last) = (first?, last?);
        (first.file == last.file).then(|| first.cover(last))
    }

    /// The part `range` (of [`Text::with_placeholders`]), which must lie on character borders.
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self::slice_in(&self.pieces, range)
    }

    pub(super) fn slice_in(all: &[Piece], range: Range<usize>) -> Self {
        let mut at = 0;
        let mut pieces = Vec::new();
        for p in all {
            let len = Self::piece_len(p);
            let (from, to) = (at, at + len);
            at = to;
            let (a, b) = (range.start.max(from), range.end.min(to));
            if a >= b {
                continue;
            }
            match p {
                Piece::Lit(l) => {
                    if let Some(part) = l.text.get(a - from..b - from) {
                        pieces.push(Piece::Lit(Lit {
                            text: Arc::from(part),
                            map: l.map.slice(a - from..b - from),
                        }));
                    }
                }
                Piece::Hole(_) => pieces.push(p.clone()),
            }
        }
        Self::from_pieces(pieces)
    }

    /// Length in bytes of a piece in [`Text::with_placeholders`].
    pub(super) fn piece_len(p: &Piece) -> usize {
        match p {
            Piece::Lit(l) => l.text.len(),
            Piece::Hole(_) => 4,
        }
    }

    /// The parts between occurrences of `sep` in the known runs; a hole belongs to the part it stands in.
    pub fn split(&self, sep: char) -> Vec<Self> {
        let flat = self.with_placeholders();
        let mut out = Vec::new();
        let mut from = 0;
        for (i, _) in flat.match_indices(sep) {
            out.push(self.slice(from..i));
            from = i + sep.len_utf8();
        }
        out.push(self.slice(from..flat.len()));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: FileId = FileId(0);

    #[test]
    fn verbatim_text_maps_byte_for_byte() {
        let t = Text::verbatim("s3:Get*", F, 10);
        assert_eq!(t.span_of(3..7), Some(Span::new(F, 13, 17)));
        assert_eq!(t.slice(3..7).span_of(0..3), Some(Span::new(F, 13, 16)));
    }

    #[test]
    fn made_text_points_at_the_whole_even_when_lengths_are_equal() {
        let span = Span::new(F, 5, 9);
        for text in ["ab", "abcd", "abcdefg"] {
            let t = Text::synthetic(text, span);
            assert_eq!(t.span_of(0..text.len()), Some(span), "{text}");
            assert_eq!(t.span_of(1..2), Some(span), "{text}");
        }
    }

    #[test]
    fn part_of_made_text_points_at_the_whole() {
        let span = Span::new(F, 5, 7);
        let part = Text::synthetic("abcd", span).slice(1..3);
        assert_eq!(part.span_of(1..2), Some(span));
    }

    #[test]
    fn holes_split_slice_and_show() {
        let mut t = Text::verbatim("arn:", F, 1);
        t.append(&Text::hole(Hole::new(HoleKind::Partition, "p", Span::new(F, 5, 9))));
        t.append(&Text::verbatim(":s3", F, 9));
        assert_eq!(t.display(), "arn:${p}:s3");
        let parts = t.split(':');
        assert_eq!(
            parts.iter().map(Text::display).collect::<Vec<_>>(),
            ["arn", "${p}", "s3"]
        );
        assert_eq!(parts[2].span_of(0..2), Some(Span::new(F, 10, 12)));
        assert_eq!(t.span_of(0..t.len()), Some(Span::new(F, 1, 12)));
    }
}
