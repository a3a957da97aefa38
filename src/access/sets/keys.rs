//! What one condition key may be: absent, or present with values.
//!
//! A key is one dimension of a request, and each line of a `Condition` block is a test of it. Numbers and dates are whole:
//! IAM's keys count items and seconds. IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for
//! multivalued context keys".

use std::net::IpAddr;

use jiff::Timestamp;

use super::glob::{Reading, Sym, Symbols, TextGlob, Unreadable};
use super::real::ACCOUNT;
use super::search::{Constraint, FoundText, member};
use crate::access::compare;
use crate::iam::Condition;
use crate::iam::catalogue::{KeyPresence, catalogue};
use crate::iam::condition::{Network, Operator, OperatorFamily, SetOperator, is_multivalued};

/// The values of a test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Operand {
    Text(Vec<TextGlob>),
    /// Whole numbers, or seconds since 1970, as ranges of which the ends are in it.
    Ranges(Vec<(i64, i64)>),
    /// The addresses of networks: whether of version 6, first, last.
    Networks(Vec<(bool, u128, u128)>),
    Bools(Vec<bool>),
    /// `Null`: whether the key is to be absent.
    Absent(Vec<bool>),
}

/// One line of a `Condition` block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyTest {
    pub(super) operand: Operand,
    pub(super) negated: bool,
    pub(super) is_date: bool,
    /// `ForAllValues` (`true`) or `ForAnyValue`.
    pub(super) for_all: Option<bool>,
    pub(super) without_key: bool,
}

/// What a request has for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    Absent,
    Values(Vec<String>),
}

/// What tests of one key come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    Empty,
    State(KeyState),
    Unknown,
}

/// Patterns of a condition's values; `None` where the values are not read as text.
fn texts(
    c: &Condition,
    operator: Operator,
    variables: bool,
    widest: bool,
    symbols: &mut Symbols,
) -> Result<Vec<TextGlob>, Unreadable> {
    let reading = Reading::of(operator, variables, widest);
    let globs: Vec<Result<TextGlob, Unreadable>> = (c.values.iter())
        .map(|v| TextGlob::read(&v.text, reading, symbols))
        .collect();
    globs.into_iter().collect()
}

impl KeyTest {
    /// `None` for what is not decided here.
    pub(super) fn new(c: &Condition, variables: bool, widest: bool, symbols: &mut Symbols) -> Option<Self> {
        let operator = c.parsed?;
        let known = || c.values.iter().map(|v| v.text.known().map(|t| t.trim().to_owned()));
        if !matches!(
            operator.family,
            OperatorFamily::String | OperatorFamily::Arn | OperatorFamily::Binary
        ) && known().any(|v| v.is_none_or(|v| v.contains("${")))
        {
            return None;
        }
        // A value that is not of the operator's type matches nothing.
        let typed = || known().flatten();
        let operand = match operator.family {
            OperatorFamily::String | OperatorFamily::Arn | OperatorFamily::Binary => {
                Operand::Text(texts(c, operator, variables, widest, symbols).ok()?)
            }
            OperatorFamily::Numeric => {
                let numbers = typed().filter(|v| compare::number(v).is_some());
                let ranges = numbers.map(|v| range(operator, whole_number(&v)?));
                Operand::Ranges(ranges.collect::<Option<_>>()?)
            }
            OperatorFamily::Date => {
                let dates = typed().filter(|v| compare::seconds(v).is_some());
                let ranges = dates.map(|v| range(operator, seconds(&v)?));
                Operand::Ranges(ranges.collect::<Option<_>>()?)
            }
            OperatorFamily::IpAddress => {
                let networks = typed().filter(|v| Network::parse(v).is_some());
                Operand::Networks(networks.map(|v| network(&v)).collect::<Option<_>>()?)
            }
            OperatorFamily::Bool => Operand::Bools(typed().filter_map(|v| truth(&v)).collect()),
            OperatorFamily::Null => Operand::Absent(typed().filter_map(|v| truth(&v)).collect()),
        };
        Some(Self {
            operand,
            negated: operator.negated,
            is_date: operator.family == OperatorFamily::Date,
            for_all: operator.set.map(|s| s == SetOperator::ForAllValues),
            without_key: operator.without_key(),
        })
    }

    /// The key is there.
    pub(super) fn present() -> Self {
        Self::is_absent(false)
    }

    /// The key is not there.
    pub(super) fn absent() -> Self {
        Self::is_absent(true)
    }

    /// It says nothing of values.
    pub(super) fn is_of_presence(&self) -> bool {
        matches!(self.operand, Operand::Absent(_))
    }

    fn is_absent(wanted: bool) -> Self {
        Self {
            operand: Operand::Absent(vec![wanted]),
            negated: false,
            is_date: false,
            for_all: None,
            without_key: false,
        }
    }

    /// One form for what says the same in another order.
    pub(super) fn settle(&mut self) {
        match &mut self.operand {
            Operand::Text(globs) => {
                globs.sort_unstable();
                globs.dedup();
            }
            Operand::Ranges(ranges) => ranges.sort_unstable(),
            Operand::Networks(networks) => networks.sort_unstable(),
            Operand::Bools(wanted) | Operand::Absent(wanted) => {
                wanted.sort_unstable();
                wanted.dedup();
            }
        }
    }

    /// It asks that every value is so, and not that one is: without a set operator, a negated one.
    fn is_of_all(&self) -> bool {
        self.for_all.unwrap_or(self.negated)
    }

    fn holds_absent(&self) -> bool {
        match &self.operand {
            Operand::Absent(wanted) => wanted.contains(&true),
            _ => self.without_key,
        }
    }

    /// For one value.
    fn holds_for(&self, value: &str) -> bool {
        let within = |ranges: &[(i64, i64)], n: Option<i64>| {
            n.is_some_and(|n| ranges.iter().any(|(first, last)| (*first..=*last).contains(&n)))
        };
        let is_in = match &self.operand {
            Operand::Text(globs) => globs.iter().any(|g| g.matches(value)),
            Operand::Ranges(ranges) if self.is_date => within(ranges, seconds(value)),
            Operand::Ranges(ranges) => within(ranges, whole_number(value)),
            Operand::Networks(networks) => network(value).is_some_and(|(six, at, _)| {
                let has = |(of_six, first, last): &(bool, u128, u128)| *of_six == six && (*first..=*last).contains(&at);
                networks.iter().any(has)
            }),
            Operand::Bools(wanted) => truth(value).is_some_and(|v| wanted.contains(&v)),
            Operand::Absent(wanted) => return wanted.contains(&false),
        };
        is_in != self.negated
    }

    /// Of a request.
    pub(super) fn holds(&self, state: &KeyState) -> bool {
        match state {
            KeyState::Absent => self.holds_absent(),
            KeyState::Values(values) if matches!(self.operand, Operand::Absent(_)) => {
                values.first().is_none_or(|v| self.holds_for(v))
            }
            KeyState::Values(values) => {
                // For set operators, an empty value does not count.
                let mut values = values.iter().filter(|v| self.for_all.is_none() || !v.is_empty());
                match self.is_of_all() {
                    true => values.all(|v| self.holds_for(v)),
                    false => values.any(|v| self.holds_for(v)),
                }
            }
        }
    }

    pub(super) fn globs(&self) -> Option<&[TextGlob]> {
        match &self.operand {
            Operand::Text(globs) => Some(globs),
            _ => None,
        }
    }
}

/// The numbers that an operator lets through.
fn range(operator: Operator, n: i64) -> Option<(i64, i64)> {
    let rest = operator.name.trim_start_matches("Numeric").trim_start_matches("Date");
    Some(match rest {
        "Equals" | "NotEquals" => (n, n),
        "LessThan" => (i64::MIN, n.checked_sub(1)?),
        "LessThanEquals" => (i64::MIN, n),
        "GreaterThan" => (n.checked_add(1)?, i64::MAX),
        "GreaterThanEquals" => (n, i64::MAX),
        _ => return None,
    })
}

fn whole_number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|n: &i64| n.unsigned_abs() < 1 << 60)
}

/// A date of ISO 8601, or seconds since 1970. `None` for a part of a second, too.
fn seconds(text: &str) -> Option<i64> {
    if let Some(n) = whole_number(text) {
        return Some(n);
    }
    let seconds = compare::seconds(text).filter(|s| s.fract() == 0.0 && s.abs() < 1e15)?;
    format!("{seconds:.0}").parse().ok()
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn network(text: &str) -> Option<(bool, u128, u128)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let (six, bits, at) = match address.parse().ok()? {
        IpAddr::V4(a) => (false, 32, u128::from(u32::from(a))),
        IpAddr::V6(a) => (true, 128, u128::from(a)),
    };
    let prefix = prefix.unwrap_or(bits);
    let size = 1u128
        .checked_shl(bits.checked_sub(prefix)?)
        .unwrap_or(0)
        .wrapping_sub(1);
    Some((six, at & !size, at | size))
}

fn address(six: bool, at: u128) -> String {
    match (six, u32::try_from(at)) {
        (false, Ok(at)) => IpAddr::V4(at.into()).to_string(),
        _ => IpAddr::V6(at.into()).to_string(),
    }
}

/// What is known of a key (in lower case) without any policy.
pub(super) struct KeyFacts {
    may_be_absent: bool,
    multivalued: bool,
    is_bool: bool,
    /// The evaluation adds it where the request does not have it.
    is_derived: bool,
    examples: &'static [&'static str],
}

impl KeyFacts {
    /// `signed`: the caller is not anonymous.
    pub(super) fn new(key: &str, signed: bool) -> Self {
        let global = catalogue().global_condition_key(key);
        let presence = global.map(|g| g.presence);
        Self {
            may_be_absent: match presence {
                Some(KeyPresence::Always) => false,
                Some(KeyPresence::Signed) => !signed,
                Some(KeyPresence::Only(_)) | None => true,
            },
            // Of a key that is not known, several values are possible.
            multivalued: is_multivalued(key).unwrap_or(true),
            is_bool: global.is_some_and(|g| g.type_name == "Bool"),
            is_derived: matches!(key, "aws:resourceaccount" | "s3:resourceaccount" | "kms:calleraccount"),
            examples: examples_of(key),
        }
    }

    fn states(&self) -> Vec<String> {
        self.examples.iter().map(|e| (*e).to_owned()).collect()
    }
}

fn examples_of(key: &str) -> &'static [&'static str] {
    match key {
        "aws:principalorgid" | "aws:sourceorgid" | "aws:resourceorgid" => &["o-exampleorgid"],
        "aws:sourceaccount" => &["444455556666"],
        "aws:resourceaccount" | "kms:calleraccount" | "s3:resourceaccount" => &[ACCOUNT],
        "aws:sourcearn" => &["arn:aws:s3:::example-bucket"],
        "aws:sourcevpc" => &["vpc-0example"],
        "aws:sourcevpce" => &["vpce-0example"],
        "aws:requestedregion" => &["us-east-1", "eu-central-1", "ap-southeast-2", "sa-east-1"],
        _ => &[],
    }
}

/// A state of the key for which each test is true or false as asked.
pub(super) fn solve(facts: &KeyFacts, tests: &[(&KeyTest, bool)]) -> KeyAnswer {
    let absent = facts.may_be_absent && all_hold(tests, &KeyState::Absent);
    if absent && !facts.is_derived {
        return KeyAnswer::State(KeyState::Absent);
    }
    match present(facts, tests) {
        KeyAnswer::State(state) => KeyAnswer::State(state),
        _ if absent => KeyAnswer::State(KeyState::Absent),
        answer => answer,
    }
}

/// As [`solve`], where the key is there.
fn present(facts: &KeyFacts, tests: &[(&KeyTest, bool)]) -> KeyAnswer {
    // For `Null`.
    let fits = |t: &KeyTest, wanted: bool| match &t.operand {
        Operand::Absent(asked) => asked.contains(&false) == wanted,
        _ => true,
    };
    if !tests.iter().all(|(t, wanted)| fits(t, *wanted)) {
        return KeyAnswer::Empty;
    }
    let tests: Vec<(&KeyTest, bool)> = tests
        .iter()
        .filter(|(t, _)| !matches!(t.operand, Operand::Absent(_)))
        .copied()
        .collect();
    let answer = match facts.multivalued {
        true => several(facts, &tests),
        false => match value(facts, &tests) {
            Ok(None) => KeyAnswer::Empty,
            Ok(Some(v)) => KeyAnswer::State(KeyState::Values(vec![v])),
            Err(()) => KeyAnswer::Unknown,
        },
    };
    match answer {
        KeyAnswer::State(state) if !all_hold(&tests, &state) => KeyAnswer::Unknown,
        // What is only empty is there for `Null`, and has no value for set operators.
        KeyAnswer::Empty => {
            let empty = KeyState::Values(vec![String::new()]);
            match all_hold(&tests, &empty) {
                true => KeyAnswer::State(empty),
                false => KeyAnswer::Empty,
            }
        }
        answer => answer,
    }
}

fn all_hold(tests: &[(&KeyTest, bool)], state: &KeyState) -> bool {
    tests.iter().all(|(t, wanted)| t.holds(state) == *wanted)
}

/// Tests of all values and of any value: what all values must be, and one value for each that some value must be.
fn several(facts: &KeyFacts, tests: &[(&KeyTest, bool)]) -> KeyAnswer {
    let of_all: Vec<(&KeyTest, bool)> = tests
        .iter()
        .filter(|(t, wanted)| t.is_of_all() == *wanted)
        .copied()
        .collect();
    let mut values: Vec<String> = Vec::new();
    let of_some = tests.iter().filter(|(t, wanted)| t.is_of_all() != *wanted);
    for one in of_some {
        let mut asked = of_all.clone();
        asked.push(*one);
        match value(facts, &asked) {
            Ok(Some(v)) if !values.contains(&v) => values.push(v),
            Ok(Some(_)) => {}
            Ok(None) => return KeyAnswer::Empty,
            Err(()) => return KeyAnswer::Unknown,
        }
    }
    if values.is_empty() {
        match value(facts, &of_all) {
            Ok(Some(v)) => values.push(v),
            Ok(None) => return KeyAnswer::Empty,
            Err(()) => return KeyAnswer::Unknown,
        }
    }
    KeyAnswer::State(KeyState::Values(values))
}

/// A single value for which the tests are as asked.
fn value(facts: &KeyFacts, tests: &[(&KeyTest, bool)]) -> Result<Option<String>, ()> {
    let all = |v: &str| tests.iter().all(|(t, wanted)| t.holds_for(v) == *wanted);
    let texts = tests.iter().filter(|(t, _)| t.globs().is_some()).count();
    let is_bool = facts.is_bool || tests.iter().any(|(t, _)| matches!(t.operand, Operand::Bools(_)));
    if is_bool {
        return Ok(["true", "false"].into_iter().find(|v| all(v)).map(str::to_owned));
    }
    if texts < tests.len() {
        let found = candidates(tests).into_iter().find(|v| all(v));
        // Numbers and addresses as texts are not searched through.
        return match found {
            None if texts > 0 => Err(()),
            found => Ok(found),
        };
    }
    let constraints: Vec<Constraint<'_>> = tests
        .iter()
        .filter_map(|(t, wanted)| {
            Some(Constraint {
                globs: t.globs()?,
                inside: *wanted != t.negated,
            })
        })
        .collect();
    // For set operators, an empty value does not count.
    let not_empty = match tests.iter().any(|(t, _)| t.for_all.is_some()) {
        true => vec![
            TextGlob::new([Sym::One, Sym::Star]),
            TextGlob::new([Sym::Symbol, Sym::Star]),
        ],
        false => Vec::new(),
    };
    text_member(constraints, &not_empty, &facts.states())
}

/// As [`member`], but what is only empty while nothing unknown is compared is not certain. `frame` is what every member must
/// match, if it is anything.
pub(super) fn text_member<'g>(
    mut constraints: Vec<Constraint<'g>>,
    frame: &'g [TextGlob],
    samples: &[String],
) -> Result<Option<String>, ()> {
    let uncertain = may_coincide(&constraints);
    if !frame.is_empty() {
        constraints.push(Constraint {
            globs: frame,
            inside: true,
        });
    }
    match member(&constraints, samples) {
        FoundText::Text(text) => Ok(Some(text)),
        FoundText::TooLarge => Err(()),
        FoundText::Empty if uncertain && may_be_met(&constraints) => Err(()),
        FoundText::Empty => Ok(None),
    }
}

/// Whether there is a member where what is not known may be any text, at each place another one.
fn may_be_met(constraints: &[Constraint<'_>]) -> bool {
    let plain = |c: &&Constraint<'_>| c.inside || !c.globs.iter().any(TextGlob::has_symbol);
    let widened: Vec<(Vec<TextGlob>, bool)> = constraints
        .iter()
        .filter(plain)
        .map(|c| (c.globs.iter().map(TextGlob::widened).collect(), c.inside))
        .collect();
    let widened: Vec<Constraint<'_>> = widened
        .iter()
        .map(|(globs, inside)| Constraint { globs, inside: *inside })
        .collect();
    member(&widened, &[]) != FoundText::Empty
}

/// Whether a value of a variable could make two patterns meet that the variable as such keeps apart.
fn may_coincide(constraints: &[Constraint<'_>]) -> bool {
    let inside = || constraints.iter().filter(|c| c.inside);
    let symbolic = inside().filter(|c| c.globs.iter().any(TextGlob::has_symbol)).count();
    symbolic > 0 && inside().count() > 1
}

/// Values around every limit.
fn candidates(tests: &[(&KeyTest, bool)]) -> Vec<String> {
    let mut numbers: Vec<i64> = vec![0, 1];
    let mut addresses: Vec<(bool, u128)> = vec![(false, 0xCB00_7107), (true, 0x2001_0db8 << 96 | 7)];
    let is_date = tests.iter().any(|(t, _)| t.is_date);
    for (t, _) in tests {
        match &t.operand {
            Operand::Ranges(ranges) => {
                let ends = ranges.iter().flat_map(|(a, b)| [*a, *b]);
                let near = ends.filter(|n| n.unsigned_abs() < 1 << 61);
                numbers.extend(near.flat_map(|n| [n, n - 1, n + 1]));
            }
            Operand::Networks(networks) => {
                for (six, first, last) in networks {
                    let top = if *six { u128::MAX } else { u128::from(u32::MAX) };
                    let around = [*first, *last, first.wrapping_sub(1), last.wrapping_add(1)];
                    addresses.extend(around.into_iter().filter(|at| *at <= top).map(|at| (*six, at)));
                }
            }
            _ => {}
        }
    }
    let has = |is: fn(&Operand) -> bool| tests.iter().any(|(t, _)| is(&t.operand));
    let mut out = Vec::new();
    if has(|o| matches!(o, Operand::Ranges(_))) {
        let shown = |n: i64| match Timestamp::from_second(n) {
            Ok(at) if is_date => at.to_string(),
            _ => n.to_string(),
        };
        // Dates before 1970 are no one's.
        let dates = numbers.into_iter().filter(|n| !is_date || *n >= 0);
        out.extend(dates.map(shown));
    }
    if has(|o| matches!(o, Operand::Networks(_))) {
        out.extend(addresses.into_iter().map(|(six, at)| address(six, at)));
    }
    out
}
