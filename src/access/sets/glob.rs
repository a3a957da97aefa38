//! Patterns of policy texts as languages over characters.
//!
//! What is not known, a policy variable or a part that deployment fills in, is a character of its own: the same one equals
//! itself, `*` covers it, and `?` does not, since its value may have any length.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::iam::PrincipalType;
use crate::iam::condition::{Operator, OperatorFamily};
use crate::iam::variables::variables;
use crate::source::{Hole, HoleKind, Piece, Text};

/// The first character that stands for something unknown: supplementary private use plane B.
const FIRST_SYMBOL: u32 = 0x10_0000;
/// So many are distinguished.
const MAX_SYMBOLS: u32 = 0xFFFD;

/// One position of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sym {
    Char(char),
    /// An ASCII letter, given in lower case, in either case.
    AnyCase(char),
    /// `?`
    One,
    /// `?` within one field of an ARN.
    OneInField,
    /// What a name begins with: a character, or a part that is not known.
    Some,
    /// The same within one field of an ARN.
    SomeInField,
    /// The same within one segment of a path.
    SomeInSegment,
    /// `*`
    Star,
    /// `*` within one of the first five fields of an ARN.
    Field,
    /// `*` within one segment of a path.
    Segment,
    Digit,
    /// Anything that stands for something unknown.
    Symbol,
    /// No character.
    Nothing,
}

impl Sym {
    pub(super) fn repeats(self) -> bool {
        matches!(self, Self::Star | Self::Field | Self::Segment)
    }

    pub(super) fn matches(self, c: char) -> bool {
        match self {
            Self::Char(own) => own == c,
            Self::AnyCase(own) => own == c.to_ascii_lowercase(),
            Self::One => !is_symbol(c),
            Self::OneInField => c != ':' && !is_symbol(c),
            Self::Star | Self::Some => true,
            Self::Field | Self::SomeInField => c != ':',
            Self::Segment | Self::SomeInSegment => !matches!(c, ':' | '/'),
            Self::Digit => c.is_ascii_digit(),
            Self::Symbol => is_symbol(c),
            Self::Nothing => false,
        }
    }
}

/// Stands for something unknown.
pub fn is_symbol(c: char) -> bool {
    (FIRST_SYMBOL..=FIRST_SYMBOL + MAX_SYMBOLS).contains(&u32::from(c))
}

/// Stands for a word; see [`Meaning::is_word`].
fn is_word(c: char) -> bool {
    is_symbol(c) && (u32::from(c) - FIRST_SYMBOL) % 2 == 1
}

/// How far the wildcards of an ARN reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fields {
    /// The text is not an ARN.
    #[default]
    None,
    /// An item of `Resource`: `*` reaches over a colon where it is the end of its field.
    /// IAM User Guide, "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs".
    Resource,
    /// Each of the first five fields by itself.
    /// IAM User Guide, "IAM JSON policy elements: Condition operators", "Amazon Resource Name (ARN) condition operators".
    Each,
    /// As [`Self::Each`], for an item of `Resource` that has all fields.
    Strict,
}

/// How a text is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// `*` and `?` are wildcards.
    pub wildcards: bool,
    pub any_case: bool,
    pub fields: Fields,
    /// `${…}` names a policy variable.
    pub variables: bool,
    /// What is not known stands for any text.
    pub widest: bool,
}

impl Reading {
    /// How the values of a condition with this operator are read.
    pub fn of(operator: Operator, variables: bool, widest: bool) -> Self {
        Self {
            wildcards: operator.wildcards,
            any_case: operator.name.ends_with("IgnoreCase"),
            fields: match operator.family {
                OperatorFamily::Arn => Fields::Each,
                _ => Fields::None,
            },
            variables,
            widest,
        }
    }
}

/// What a symbol stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// A condition key in lower case.
    Variable(String),
    /// A part of a document that is not known: what it is, its address, its name.
    Hole(HoleKind, String, String),
}

impl Meaning {
    /// The number of an account, a Region, a partition: without colons and slashes.
    fn is_word(&self) -> bool {
        use HoleKind::{Account, Partition, Region, UrlSuffix};
        matches!(self, Self::Hole(Account | Partition | Region | UrlSuffix, ..))
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) | Self::Hole(_, _, name) => write!(f, "${{{name}}}"),
        }
    }
}

/// The symbols of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    by_meaning: BTreeMap<Meaning, char>,
    meanings: Vec<Meaning>,
    /// The holes that were met, by name.
    pub holes: BTreeMap<String, HoleKind>,
    /// Holes that are all of a principal, and its type.
    pub principals: BTreeMap<String, PrincipalType>,
    /// Holes that are an ARN, or its start.
    pub arns: BTreeSet<String>,
    /// What holes are taken to be, by name.
    pub fillings: BTreeMap<String, String>,
    /// The keys of a request, where variables have a value.
    pub request: Option<BTreeMap<String, String>>,
}

impl Symbols {
    /// The symbol of this; `None` for more than are distinguished.
    fn of(&mut self, meaning: Meaning) -> Option<char> {
        if let Some(c) = self.by_meaning.get(&meaning) {
            return Some(*c);
        }
        let next = u32::try_from(self.meanings.len())
            .ok()
            .filter(|n| *n < MAX_SYMBOLS / 2)?;
        let c = char::from_u32(FIRST_SYMBOL + 2 * next + u32::from(meaning.is_word()))?;
        self.meanings.push(meaning.clone());
        self.by_meaning.insert(meaning, c);
        Some(c)
    }

    /// What a symbol stands for.
    pub fn meaning(&self, c: char) -> Option<&Meaning> {
        let index = u32::from(c).checked_sub(FIRST_SYMBOL)? / 2;
        self.meanings.get(index as usize)
    }

    /// What all symbols stand for.
    pub fn meanings(&self) -> impl Iterator<Item = &Meaning> {
        self.meanings.iter()
    }

    /// Those of `text`, with what they stand for.
    pub fn within<'s>(&'s self, text: &'s str) -> impl Iterator<Item = (char, &'s Meaning)> {
        text.chars().filter_map(|c| Some((c, self.meaning(c)?)))
    }
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextGlob {
    syms: Box<[Sym]>,
}

/// A text that has no reading as a pattern: what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// A variable with a default, or one that is misspelled.
    Variable,
    TooManySymbols,
}

impl TextGlob {
    pub fn new(syms: impl IntoIterator<Item = Sym>) -> Self {
        let mut out: Vec<Sym> = Vec::new();
        for sym in syms {
            match (out.last(), sym) {
                (Some(Sym::Star), Sym::Star) | (Some(Sym::Field), Sym::Field) => {}
                _ => out.push(sym),
            }
        }
        Self { syms: out.into() }
    }

    /// A text of AWS's own, where `*` and `?` are wildcards.
    pub fn plain(text: &str) -> Self {
        Self::new(text.chars().map(|c| match c {
            '*' => Sym::Star,
            '?' => Sym::One,
            c => Sym::Char(c),
        }))
    }

    /// With a pattern of AWS's own after it.
    #[must_use]
    pub(super) fn followed_by(&self, pattern: &str) -> Self {
        Self::new(self.syms.iter().copied().chain(Self::plain(pattern).syms))
    }

    pub fn literal(text: &str) -> Self {
        Self::new(text.chars().map(Sym::Char))
    }

    pub fn any() -> Self {
        Self::new([Sym::Star])
    }

    pub fn syms(&self) -> &[Sym] {
        &self.syms
    }

    pub fn is_any(&self) -> bool {
        *self.syms == [Sym::Star]
    }

    pub fn has_symbol(&self) -> bool {
        let symbol = |s: &Sym| matches!(s, Sym::Char(c) if is_symbol(*c));
        self.syms.iter().any(symbol)
    }

    /// With any text for what is not known, or any word.
    #[must_use]
    pub(super) fn widened(&self) -> Self {
        Self::new(self.syms.iter().map(|s| match s {
            Sym::Char(c) if is_word(*c) => Sym::Segment,
            Sym::Char(c) if is_symbol(*c) => Sym::Star,
            s => *s,
        }))
    }

    /// A text with any text in the place of some characters.
    pub(super) fn with_any_for(text: &str, is_open: impl Fn(char) -> bool) -> Self {
        Self::new(text.chars().map(|c| if is_open(c) { Sym::Star } else { Sym::Char(c) }))
    }

    /// This and then `tail`.
    #[must_use]
    pub fn then(&self, tail: &Self) -> Self {
        Self::new(self.syms.iter().chain(&tail.syms).copied())
    }

    pub fn read(text: &Text, reading: Reading, symbols: &mut Symbols) -> Result<Self, Unreadable> {
        let mut syms = Vec::new();
        for piece in text.pieces() {
            match piece {
                Piece::Lit(lit) => push_text(&lit.text, reading, symbols, &mut syms)?,
                Piece::Hole(hole) => push_hole(hole, reading, symbols, &mut syms)?,
            }
        }
        // The fields that are not there may be in an unknown part.
        let colons = syms.iter().filter(|s| **s == Sym::Char(':')).count();
        if reading.fields == Fields::Each && colons < 5 && !text.is_known() {
            if let Some(Piece::Hole(hole)) = text.pieces().first() {
                symbols.arns.insert(hole.name.to_string());
            }
            return Ok(Self::new(syms));
        }
        Ok(Self::new(within_fields(syms, reading.fields)))
    }

    #[cfg(any(test, feature = "internals"))]
    /// A text without unknown parts.
    pub fn read_str(text: &str, reading: Reading, symbols: &mut Symbols) -> Result<Self, Unreadable> {
        let mut syms = Vec::new();
        push_text(text, reading, symbols, &mut syms)?;
        Ok(Self::new(within_fields(syms, reading.fields)))
    }

    pub fn matches(&self, text: &str) -> bool {
        let (mut at, mut retry) = (0, None);
        let text: Vec<char> = text.chars().collect();
        let mut i = 0;
        // One restart point is enough only for `*` that matches everything: sets of positions hold for the others too.
        if self.syms.iter().any(|s| matches!(s, Sym::Field | Sym::Segment)) {
            return self.matches_by_sets(&text);
        }
        while i < text.len() {
            match self.syms.get(at) {
                Some(s) if s.repeats() => {
                    retry = Some((at, i));
                    at += 1;
                }
                Some(s) if s.matches(text[i]) => {
                    at += 1;
                    i += 1;
                }
                _ => match retry {
                    Some((star, from)) => {
                        retry = Some((star, from + 1));
                        at = star + 1;
                        i = from + 1;
                    }
                    None => return false,
                },
            }
        }
        self.syms[at..].iter().all(|s| s.repeats())
    }

    fn matches_by_sets(&self, text: &[char]) -> bool {
        let mut set = self.start();
        let mut next = vec![0; set.len()];
        for c in text {
            if !self.step(&set, *c, &mut next) {
                return false;
            }
            std::mem::swap(&mut set, &mut next);
        }
        self.accepts(&set)
    }

    /// Words of a set of positions.
    pub(super) fn words(&self) -> usize {
        self.syms.len() / 64 + 1
    }

    /// Where one is before the first character.
    pub(super) fn start(&self) -> Vec<u64> {
        let mut set = vec![0; self.words()];
        self.enter(0, &mut set);
        set
    }

    /// Adds a position, and those that are reached from it without a character.
    fn enter(&self, mut at: usize, set: &mut [u64]) {
        loop {
            set[at / 64] |= 1 << (at % 64);
            match self.syms.get(at) {
                Some(s) if s.repeats() => at += 1,
                _ => return,
            }
        }
    }

    /// The positions after a character; whether there is one.
    pub(super) fn step(&self, set: &[u64], c: char, next: &mut [u64]) -> bool {
        next.fill(0);
        let mut any = false;
        for at in positions(set) {
            let Some(sym) = self.syms.get(at) else { continue };
            if sym.matches(c) {
                any = true;
                self.enter(if sym.repeats() { at } else { at + 1 }, next);
            }
        }
        any
    }

    pub(super) fn accepts(&self, set: &[u64]) -> bool {
        let end = self.syms.len();
        set[end / 64] >> (end % 64) & 1 == 1
    }

    /// Whether every text from here on matches: it ends with `*`, which has been reached.
    pub(super) fn is_saturated(&self, set: &[u64]) -> bool {
        let Some(last) = self.syms.len().checked_sub(1) else {
            return false;
        };
        self.syms[last] == Sym::Star && set[last / 64] >> (last % 64) & 1 == 1
    }
}

/// Members of a set of positions.
pub(super) fn positions(set: &[u64]) -> impl Iterator<Item = usize> {
    set.iter().enumerate().flat_map(|(word, bits)| {
        let mut left = *bits;
        std::iter::from_fn(move || {
            let bit = left.trailing_zeros();
            left &= left.checked_sub(1)?;
            Some(word * 64 + bit as usize)
        })
    })
}

fn push_text(text: &str, reading: Reading, symbols: &mut Symbols, out: &mut Vec<Sym>) -> Result<(), Unreadable> {
    let mut at = 0;
    if reading.variables && text.contains("${") {
        for variable in variables(text) {
            if variable.problem.is_some() || variable.default.is_some() && symbols.request.is_none() {
                return Err(Unreadable::Variable);
            }
            push_plain(&text[at..variable.range.start], reading, out);
            let name = variable.name.to_lowercase();
            if let Some(request) = &symbols.request {
                let value = request.get(&name).or(variable.default.as_ref());
                push_value(value.ok_or(Unreadable::Variable)?, reading, out);
            } else {
                let symbol = symbols.of(Meaning::Variable(name));
                out.push(Sym::Char(symbol.ok_or(Unreadable::TooManySymbols)?));
            }
            at = variable.range.end;
        }
    }
    push_plain(&text[at..], reading, out);
    Ok(())
}

fn push_plain(text: &str, reading: Reading, out: &mut Vec<Sym>) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        // IAM User Guide, "IAM policy elements: Variables and tags", "Special characters".
        let escaped = ["${*}", "${?}", "${$}"].into_iter().find(|e| rest.starts_with(e));
        if let Some(escape) = escaped.filter(|_| reading.variables) {
            out.extend(escape.chars().nth(2).map(Sym::Char));
            rest = &rest[escape.len()..];
            continue;
        }
        out.push(match c {
            '*' if reading.wildcards => Sym::Star,
            '?' if reading.wildcards => Sym::One,
            c if reading.any_case && c.is_ascii_alphabetic() => Sym::AnyCase(c.to_ascii_lowercase()),
            c => Sym::Char(c),
        });
        rest = &rest[c.len_utf8()..];
    }
}

/// A value, in which no character is special.
fn push_value(value: &str, reading: Reading, out: &mut Vec<Sym>) {
    let as_it_is = Reading {
        wildcards: false,
        variables: false,
        ..reading
    };
    push_plain(value, as_it_is, out);
}

fn push_hole(hole: &Hole, reading: Reading, symbols: &mut Symbols, out: &mut Vec<Sym>) -> Result<(), Unreadable> {
    symbols.holes.entry(hole.name.to_string()).or_insert(hole.kind);
    if let Some(filling) = symbols.fillings.get(&*hole.name).cloned() {
        push_value(&filling, reading, out);
        return Ok(());
    }
    if reading.widest {
        out.push(Sym::Star);
        return Ok(());
    }
    if out.is_empty() && reading.fields != Fields::None {
        out.extend(arn_head(&hole.name, hole.kind).chars().map(Sym::Char));
    }
    let address = hole.target.as_ref().map(|t| format!("{}.{}", t.address, t.attribute));
    let name = hole.name.to_string();
    let symbol = symbols.of(Meaning::Hole(hole.kind, address.unwrap_or_default(), name));
    out.push(Sym::Char(symbol.ok_or(Unreadable::TooManySymbols)?));
    Ok(())
}

/// How the ARN begins that an output of a module or a data source is, where its name says so: ARNs of buckets name no account
/// and no Region. Terraform registry, outputs of `terraform-aws-modules/s3-bucket/aws`.
pub(super) fn arn_head(name: &str, kind: HoleKind) -> &'static str {
    let is_of_bucket = kind == HoleKind::Existing && name.ends_with("bucket_arn");
    if is_of_bucket { "arn:aws:s3:::" } else { "" }
}

/// Limits wildcards to their fields.
fn within_fields(syms: Vec<Sym>, fields: Fields) -> Vec<Sym> {
    let colons = syms.iter().filter(|s| **s == Sym::Char(':')).count();
    if fields == Fields::Each && colons < 5 {
        // A lone `*` is every ARN, and what is not an ARN does not match.
        if syms != [Sym::Star] {
            return vec![Sym::Nothing];
        }
        let fields = "arn:****".chars().flat_map(|c| match c {
            '*' => vec![Sym::Field, Sym::Char(':')],
            c => vec![Sym::Char(c)],
        });
        return fields.chain([Sym::Star]).collect();
    }
    if fields == Fields::None {
        return syms;
    }
    let whole = colons;
    let mut colons = 0;
    let mut out = Vec::with_capacity(syms.len());
    for (at, s) in syms.iter().enumerate() {
        colons += usize::from(*s == Sym::Char(':'));
        let ends =
            (fields == Fields::Resource || whole < 5) && syms.get(at + 1).is_none_or(|next| *next == Sym::Char(':'));
        out.push(match s {
            Sym::Star if colons < 5 && !ends => Sym::Field,
            Sym::One if colons < 5 => Sym::OneInField,
            s => *s,
        });
    }
    out
}
