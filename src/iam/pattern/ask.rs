//! How a question about two patterns is answered: by walking both at once.
//!
//! **Invariant:** the work is bounded by the product of the two lengths, and far less where the patterns have long plain
//! parts.

use super::{Pattern, SymbolClass, Token};
use crate::iam::Truth;

/// Above this many steps (length × length) the answer is `Unknown`: no real policy comes near it.
const STEPS: usize = 1 << 24;

/// How a hole is read in one pass.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HoleMode {
    /// Equal only to the same hole; only a `*` takes it in.
    Opaque,
    /// Any string that it can be.
    Favourable,
}

impl Pattern {
    /// Asks in both moods.
    pub(super) fn ask(&self, other: &Self, question: fn(&Self, &Self, Sides<'_>, HoleMode) -> bool) -> Truth {
        // What both begin and end with decides most questions.
        let Some(sides) = Sides::of(&self.tokens, &other.tokens) else {
            return Truth::No;
        };
        if sides.outer.len().saturating_mul(sides.inner.len()) > STEPS {
            return Truth::Unknown;
        }
        if question(self, other, sides, HoleMode::Opaque) {
            Truth::Yes
        } else if (self.is_known() && other.is_known()) || !question(self, other, sides, HoleMode::Favourable) {
            Truth::No
        } else {
            Truth::Unknown
        }
    }

    /// Inclusion by matching this pattern against the other's tokens, a `*` being a letter that only a `*` covers. Exact
    /// where this pattern has no `?`; with one it may say no to a rare yes (`?*` does hold all of `*a`).
    pub(super) fn includes(&self, other: &Self, sides: Sides<'_>, mood: HoleMode) -> bool {
        let inner = sides.inner;
        let n = inner.len();
        // A favourable hole inside `inner` can be any string: it fits whatever stands here, or nothing.
        let loose = |j: usize| {
            mood == HoleMode::Favourable && matches!(inner.get(j), Some(Token::Hole(h)) if !other.is_format(*h))
        };
        // The tokens of `self` read so far can cover the first j of `inner`.
        let (mut reach, mut next) = (PrefixReach::new(n), PrefixReach::new(n));
        reach.set(0);
        for &token in sides.outer {
            let mut j = reach.low;
            while j < reach.end {
                if reach.has(j) && loose(j) {
                    reach.set(j + 1);
                }
                j += 1;
            }
            match token {
                Token::Many => (reach.low..n + 1).for_each(|j| next.set(j)),
                Token::Hole(h) if mood == HoleMode::Favourable || self.is_format(h) => {
                    let class = self.holes[h as usize].class;
                    let mut open = false;
                    for j in reach.low..=n {
                        open |= reach.has(j);
                        if open {
                            next.set(j);
                        } else if j >= reach.end {
                            break;
                        }
                        if let Some(t) = inner.get(j) {
                            open &= match *t {
                                Token::Char(c) => class.admits(c),
                                Token::One | Token::Many => class.may_be_pattern() || class == SymbolClass::Format(""),
                                Token::Hole(_) => true,
                            };
                        }
                    }
                }
                Token::Char(_) | Token::One | Token::Hole(_) => {
                    let last = reach.end.min(n);
                    for (j, &theirs) in inner.iter().enumerate().take(last).skip(reach.low) {
                        if !reach.has(j) {
                            continue;
                        }
                        let fits = match (token, theirs) {
                            (Token::Char(a), Token::Char(b)) => a == b,
                            (Token::One, Token::Char(_) | Token::One) => true,
                            (Token::Hole(a), Token::Hole(b)) => self.holes[a as usize].same(&other.holes[b as usize]),
                            _ => false,
                        };
                        if fits {
                            next.set(j + 1);
                        }
                        if loose(j) && other.hole_admits(theirs, token) {
                            // The hole goes on after this token.
                            next.set(j);
                        }
                    }
                }
            }
            reach.clear();
            std::mem::swap(&mut reach, &mut next);
            if reach.is_empty() {
                return false;
            }
        }
        let mut j = reach.low;
        while j < reach.end.min(n) {
            if reach.has(j) && mood == HoleMode::Favourable && matches!(inner[j], Token::Hole(_)) {
                reach.set(j + 1);
            }
            j += 1;
        }
        reach.has(n)
    }

    fn is_format(&self, hole: u32) -> bool {
        matches!(self.holes[hole as usize].class, SymbolClass::Format(_))
    }

    /// Whether `hole` may hold what `token` asks for.
    fn hole_admits(&self, hole: Token, token: Token) -> bool {
        let Token::Hole(h) = hole else {
            return false;
        };
        let class = self.holes[h as usize].class;
        match token {
            Token::Char(c) => class.admits(c),
            Token::One | Token::Many | Token::Hole(_) => true,
        }
    }

    /// Intersection: walk both at once; a run on one side covers single tokens of the other.
    pub(super) fn intersects(&self, other: &Self, sides: Sides<'_>, mood: HoleMode) -> bool {
        let (n, m) = (sides.outer.len(), sides.inner.len());
        let (mut reach, mut next) = (PrefixReach::new(m), PrefixReach::new(m));
        reach.set(0);
        for i in 0..=n {
            let a = sides.outer.get(i).copied();
            let a_run = a.and_then(|t| self.run(t, mood));
            let mut j = reach.low;
            while j < reach.end {
                if !reach.has(j) {
                    j += 1;
                    continue;
                }
                let b = sides.inner.get(j).copied();
                let b_run = b.and_then(|t| other.run(t, mood));
                if let (Some(run), Some(b)) = (&a_run, b)
                    && (b_run.is_some() || run.accepts(b))
                {
                    reach.set(j + 1);
                }
                if let (Some(_), Some(_)) = (&b_run, b) {
                    reach.set(j + 1);
                }
                if a_run.is_some() {
                    next.set(j);
                }
                if let (Some(run), Some(a)) = (&b_run, a)
                    && run.accepts(a)
                {
                    next.set(j);
                }
                if let (Some(a), Some(b)) = (a, b)
                    && a_run.is_none()
                    && b_run.is_none()
                    && self.single_meets(a, other, b)
                {
                    next.set(j + 1);
                }
                j += 1;
            }
            if i == n {
                return reach.has(m);
            }
            reach.clear();
            std::mem::swap(&mut reach, &mut next);
            if reach.is_empty() {
                return false;
            }
        }
        false
    }

    fn single_meets(&self, a: Token, other: &Self, b: Token) -> bool {
        match (a, b) {
            (Token::Char(a), Token::Char(b)) => a == b,
            (Token::One, Token::Char(_) | Token::One) | (Token::Char(_), Token::One) => true,
            (Token::Hole(a), Token::Hole(b)) => self.holes[a as usize].same(&other.holes[b as usize]),
            _ => false,
        }
    }

    fn run(&self, token: Token, mood: HoleMode) -> Option<Run> {
        match token {
            Token::Many => Some(Run(None)),
            Token::Hole(h) if mood == HoleMode::Favourable || self.is_format(h) => {
                Some(Run(Some(self.holes[h as usize].class)))
            }
            _ => None,
        }
    }
}

/// The tokens of two patterns without the characters that both begin and both end with.
#[derive(Clone, Copy)]
pub(super) struct Sides<'t> {
    outer: &'t [Token],
    inner: &'t [Token],
}

impl<'t> Sides<'t> {
    /// `None` where one of these characters differs: nothing is matched by both.
    fn of(mut outer: &'t [Token], mut inner: &'t [Token]) -> Option<Self> {
        while let ([Token::Char(a), rest @ ..], [Token::Char(b), other @ ..]) = (outer, inner) {
            if a != b {
                return None;
            }
            (outer, inner) = (rest, other);
        }
        while let ([rest @ .., Token::Char(a)], [other @ .., Token::Char(b)]) = (outer, inner) {
            if a != b {
                return None;
            }
            (outer, inner) = (rest, other);
        }
        Some(Self { outer, inner })
    }
}

/// Which beginnings, by their length, are reached; all of them lie in `low..end`.
struct PrefixReach {
    reached: Vec<bool>,
    low: usize,
    end: usize,
}

impl PrefixReach {
    /// None of the beginnings of `len` tokens.
    fn new(len: usize) -> Self {
        Self {
            reached: vec![false; len + 1],
            low: len + 1,
            end: 0,
        }
    }

    fn set(&mut self, j: usize) {
        self.reached[j] = true;
        self.low = self.low.min(j);
        self.end = self.end.max(j + 1);
    }

    fn has(&self, j: usize) -> bool {
        self.reached[j]
    }

    fn is_empty(&self) -> bool {
        self.end == 0
    }

    fn clear(&mut self) {
        if let Some(reached) = self.reached.get_mut(self.low..self.end) {
            reached.fill(false);
        }
        (self.low, self.end) = (self.reached.len(), 0);
    }
}

/// A token that stands for any number of characters; of a class, or of all.
struct Run(Option<SymbolClass>);

impl Run {
    fn accepts(&self, token: Token) -> bool {
        match (self.0, token) {
            (None, _) => true,
            (Some(class), Token::Char(c)) => class.admits(c),
            (Some(_), Token::One | Token::Many | Token::Hole(_)) => true,
        }
    }
}
