//! Whether a text is in some languages and not in others, and a short one that is.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::glob::{Sym, TextGlob, is_symbol, positions};

/// One of the patterns must match, or none of them.
#[derive(Clone, Copy, Debug)]
pub struct Constraint<'g> {
    pub globs: &'g [TextGlob],
    pub inside: bool,
}

impl Constraint<'_> {
    pub fn holds(&self, text: &str) -> bool {
        self.globs.iter().any(|g| g.matches(text)) == self.inside
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundText {
    /// No text is a member.
    Empty,
    Text(String),
    /// There are more states than are searched.
    TooLarge,
}

/// States of a search, and words of memory of all of them.
const MAX_STATES: usize = 20_000;
const MAX_WORDS: usize = 2 << 20;

/// Characters for places where any will do.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+=,@";
/// A text for places where any will do, and what stands for the partition, the Region, and the account of an ARN there.
type SampleTexts = [&'static str; 4];

const SAMPLES: [SampleTexts; 6] = [
    ["example", "aws", "us-east-1", "111122223333"],
    ["example", "aws", "eu-west-1", "444455556666"],
    ["example", "aws-cn", "cn-north-1", "111122223333"],
    ["a"; 4],
    [""; 4],
    ["zz9"; 4],
];
/// Patterns that names are tried in.
const MAX_SAMPLED: usize = 24;

/// A member of all constraints: one that reads well where a simple one is found, otherwise a shortest one.
pub fn member(constraints: &[Constraint<'_>], samples: &[String]) -> FoundText {
    let all = |text: &str| constraints.iter().all(|c| c.holds(text));
    if let Some(text) = samples.iter().find(|t| all(t)) {
        return FoundText::Text(text.clone());
    }
    for sample in SAMPLES {
        let patterns = constraints.iter().filter(|c| c.inside).flat_map(|c| c.globs);
        let mut texts = patterns.take(MAX_SAMPLED).filter_map(|g| instance(g, sample));
        if let Some(text) = texts.find(|t| all(t)) {
            return FoundText::Text(text);
        }
    }
    search(constraints)
}

/// The pattern with a name for each `*`.
fn instance(glob: &TextGlob, [name, partition, region, account]: SampleTexts) -> Option<String> {
    let mut out = String::new();
    let mut colons = 0;
    for (at, sym) in glob.syms().iter().enumerate() {
        match sym {
            // The name is there.
            Sym::One | Sym::Some | Sym::SomeInField | Sym::SomeInSegment
                if glob.syms().get(at + 1).is_some_and(|s| s.repeats()) && !name.is_empty() => {}
            Sym::Char(c) => {
                colons += usize::from(*c == ':');
                out.push(*c);
            }
            Sym::AnyCase(c) => out.push(*c),
            Sym::One | Sym::OneInField | Sym::Some | Sym::SomeInField | Sym::SomeInSegment => out.push('x'),
            Sym::Digit => out.push('1'),
            Sym::Star | Sym::Field | Sym::Segment => out.push_str(match colons {
                1 if out.ends_with(':') => partition,
                3 if out.ends_with(':') => region,
                4 if out.ends_with(':') => account,
                _ => name,
            }),
            Sym::Symbol | Sym::Nothing => return None,
        }
    }
    Some(out)
}

/// The positions in every pattern that is still alive: its number, then its words.
type State = Box<[u64]>;

struct Product<'g> {
    globs: Vec<&'g TextGlob>,
    /// Of each pattern.
    constraint: Vec<usize>,
    inside: Vec<bool>,
}

fn search(constraints: &[Constraint<'_>]) -> FoundText {
    let pairs = constraints
        .iter()
        .enumerate()
        .flat_map(|(i, c)| c.globs.iter().map(move |g| (g, i)));
    let (globs, constraint) = pairs.unzip();
    let product = Product {
        globs,
        constraint,
        inside: constraints.iter().map(|c| c.inside).collect(),
    };
    product.search()
}

impl Product<'_> {
    fn search(&self) -> FoundText {
        let starts = (0..self.globs.len()).map(|i| (i, self.globs[i].start()));
        let Some(start) = self.settle(starts) else {
            return FoundText::Empty;
        };
        let mut words = start.len();
        // Where each state came from.
        let mut came: Vec<(usize, char)> = vec![(0, ' ')];
        let mut states: Vec<State> = vec![start.clone()];
        let mut seen: FxHashMap<State, ()> = FxHashMap::default();
        seen.insert(start, ());
        let mut at = 0;
        while at < states.len() {
            if self.accepts(&states[at]) {
                return FoundText::Text(path(&came, at));
            }
            for c in self.characters(&states[at]) {
                let Some(next) = self.step(&states[at], c) else {
                    continue;
                };
                if let Entry::Vacant(entry) = seen.entry(next) {
                    words += entry.key().len();
                    if states.len() >= MAX_STATES || words > MAX_WORDS {
                        return FoundText::TooLarge;
                    }
                    states.push(entry.key().clone());
                    came.push((at, c));
                    entry.insert(());
                }
            }
            at += 1;
        }
        FoundText::Empty
    }

    /// The patterns that are alive, with their positions.
    fn alive<'s>(&'s self, state: &'s State) -> impl Iterator<Item = (usize, &'s [u64])> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let glob = usize::try_from(*state.get(at)?).ok()?;
            let words = self.globs.get(glob)?.words();
            let set = state.get(at + 1..at + 1 + words)?;
            at += 1 + words;
            Some((glob, set))
        })
    }

    /// One form for states that accept the same; `None` where nothing can be accepted any more.
    fn settle(&self, sets: impl Iterator<Item = (usize, Vec<u64>)>) -> Option<State> {
        let mut out = Vec::new();
        let mut lives = vec![false; self.inside.len()];
        let mut done = vec![false; self.inside.len()];
        for (glob, set) in sets {
            let constraint = self.constraint[glob];
            if done[constraint] {
                continue;
            }
            lives[constraint] = true;
            if self.globs[glob].is_saturated(&set) {
                if !self.inside[constraint] {
                    return None;
                }
                done[constraint] = true;
            }
            out.push(glob as u64);
            out.extend(set);
        }
        let lost = lives.iter().zip(&self.inside).any(|(lives, inside)| *inside && !lives);
        if lost {
            return None;
        }
        if !done.contains(&true) {
            return Some(out.into());
        }
        // A constraint that is met from here on is a single position.
        let state: State = out.into();
        let mut short = Vec::new();
        for (glob, set) in self.alive(&state) {
            let saturated = self.globs[glob].is_saturated(set);
            if !done[self.constraint[glob]] {
                short.push(glob as u64);
                short.extend(set);
            } else if saturated {
                let last = self.globs[glob].syms().len() - 1;
                let mut only = vec![0; set.len()];
                only[last / 64] |= 1 << (last % 64);
                only[(last + 1) / 64] |= 1 << ((last + 1) % 64);
                short.push(glob as u64);
                short.extend(only);
            }
        }
        Some(short.into())
    }

    fn step(&self, state: &State, c: char) -> Option<State> {
        let next = self.alive(state).filter_map(|(glob, set)| {
            let mut next = vec![0; set.len()];
            self.globs[glob].step(set, c, &mut next).then_some((glob, next))
        });
        self.settle(next)
    }

    fn accepts(&self, state: &State) -> bool {
        let mut met: Vec<bool> = self.inside.iter().map(|inside| !inside).collect();
        for (glob, set) in self.alive(state) {
            if self.globs[glob].accepts(set) {
                let constraint = self.constraint[glob];
                met[constraint] = self.inside[constraint];
                if !self.inside[constraint] {
                    return false;
                }
            }
        }
        met.iter().all(|m| *m)
    }

    /// One character of each class that the state tells apart; those for which any will do come first.
    fn characters(&self, state: &State) -> Vec<char> {
        let mut special: Vec<char> = Vec::new();
        let (mut digit, mut field, mut segment) = (false, false, false);
        for (glob, set) in self.alive(state) {
            for at in positions(set) {
                match self.globs[glob].syms().get(at) {
                    Some(Sym::Char(c)) => special.push(*c),
                    Some(Sym::AnyCase(c)) => special.extend([*c, c.to_ascii_uppercase()]),
                    Some(Sym::Digit) => digit = true,
                    Some(Sym::Field | Sym::OneInField | Sym::SomeInField) => field = true,
                    Some(Sym::Segment | Sym::SomeInSegment) => segment = true,
                    Some(Sym::One | Sym::Some | Sym::Star | Sym::Symbol | Sym::Nothing) | None => {}
                }
            }
        }
        special.sort_unstable();
        special.dedup();
        let has = |c: char| special.binary_search(&c).is_ok();
        let other = LETTERS.chars().find(|c| !(has(*c) || digit && c.is_ascii_digit()));
        // Where every letter is distinguished, any character of another kind does.
        let other = other.or_else(|| ('\u{e0}'..'\u{17f}').find(|c| !has(*c)));
        let mut out: Vec<char> = other.into_iter().collect();
        if digit {
            out.extend("1234567890".chars().find(|c| !has(*c)));
        }
        if field || segment {
            out.extend([':', '/'].into_iter().filter(|c| !has(*c)));
        }
        let (symbols, known): (Vec<char>, Vec<char>) = special.into_iter().partition(|c| is_symbol(*c));
        out.extend(known);
        out.extend(symbols);
        out
    }
}

fn path(came: &[(usize, char)], mut at: usize) -> String {
    let mut out = Vec::new();
    while at != 0 {
        let (from, c) = came[at];
        out.push(c);
        at = from;
    }
    out.into_iter().rev().collect()
}
