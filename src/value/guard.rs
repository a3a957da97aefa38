//! When an alternative exists, and which alternatives exist together.
//!
//! A [`Guard`] is a conjunction of facts about conditions that no one knows before deployment, with the words that name it to
//! a person. Two guards exclude each other where a fact of one contradicts a fact of the other, so alternatives of
//! conditionals that rest on the same condition are never combined into something that cannot occur.

use std::fmt;
use std::sync::Arc;

use super::{Branch, MAX_DEPTH, Value, ValueKind, inherited};

/// More worlds than this are not distinguished.
pub const MAX_WORLDS: usize = 16;
/// Facts of one guard; more are not kept.
const MAX_FACTS: usize = 24;

/// Something that is so, or is not.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is about: a condition's name, a variable.
    subject: Arc<str>,
    test: Test,
    is: bool,
    /// What it is made of, as far as that is known.
    parts: Option<Arc<FactParts>>,
}

/// What a condition is made of.
#[derive(Clone, Debug)]
pub struct FactParts {
    pub facts: Vec<Fact>,
    /// It is so where all of them are; else where one of them is.
    pub all: bool,
    /// These are all.
    pub complete: bool,
}

/// Facts are the same where they say the same of the same subject.
impl PartialEq for Fact {
    fn eq(&self, other: &Self) -> bool {
        self.is == other.is && self.test == other.test && self.subject == other.subject
    }
}

impl Eq for Fact {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// The condition is met.
    Holds,
    /// The subject equals this text.
    Equals(Arc<str>),
    /// The subject is this key of a table, which lists all that it may be.
    Key(Arc<str>),
}

impl Fact {
    /// The condition `name` is met, or is not.
    pub fn condition(name: &str, is: bool) -> Self {
        Self {
            subject: name.into(),
            test: Test::Holds,
            is,
            parts: None,
        }
    }

    #[must_use]
    pub fn made_of(self, parts: FactParts) -> Self {
        Self {
            parts: Some(Arc::new(parts)),
            ..self
        }
    }

    /// What else is so where this is.
    pub fn brings(&self) -> &[Self] {
        self.parts.as_ref().filter(|p| p.all).map_or(&[], |p| &p.facts)
    }

    /// The ways in which this is so: each is a case of it.
    pub fn ways(&self) -> Vec<Guard> {
        let with = |more: &[Self]| {
            let mut facts = vec![self.clone()];
            let mut at = 0;
            facts.extend_from_slice(more);
            while at < facts.len() && facts.len() < MAX_FACTS {
                let brought = facts[at].brings().to_vec();
                facts.extend(brought.into_iter().filter(|f| *f != *self));
                at += 1;
            }
            Guard::new(&self.label(), facts)
        };
        match &self.parts {
            Some(p) if !p.all && p.complete => p.facts.iter().map(|f| with(std::slice::from_ref(f))).collect(),
            _ => vec![with(&[])],
        }
    }

    /// `subject` equals `value`, or does not.
    pub fn equals(subject: &str, value: &str, is: bool) -> Self {
        Self {
            subject: subject.into(),
            test: Test::Equals(value.into()),
            is,
            parts: None,
        }
    }

    /// `subject` is `key` of a table.
    pub fn key(subject: &str, key: &str) -> Self {
        Self {
            subject: subject.into(),
            test: Test::Key(key.into()),
            is: true,
            parts: None,
        }
    }

    /// The same thing is not so.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self {
            is: !self.is,
            parts: self.parts.as_ref().map(|p| {
                Arc::new(FactParts {
                    facts: p.facts.iter().map(Self::negated).collect(),
                    all: !p.all,
                    complete: p.complete,
                })
            }),
            ..self.clone()
        }
    }

    pub fn subject(&self) -> &str {
        &self.subject
    }

    fn value(&self) -> Option<&str> {
        match &self.test {
            Test::Holds => None,
            Test::Equals(v) | Test::Key(v) => Some(v),
        }
    }

    fn contradicts(&self, other: &Self) -> bool {
        self.subject == other.subject
            && match (self.is, other.is) {
                (true, true) => self.value().zip(other.value()).is_some_and(|(a, b)| a != b),
                (false, false) => false,
                _ => self.value() == other.value(),
            }
    }

    fn implies(&self, other: &Self) -> bool {
        self.contradicts(&other.negated())
    }

    fn label(&self) -> String {
        let word = if self.is { "if" } else { "unless" };
        match &self.test {
            Test::Key(key) if self.is => format!("for {key}"),
            Test::Holds => format!("{word} {}", self.subject),
            Test::Equals(value) | Test::Key(value) => format!("{word} {} is {value:?}", self.subject),
        }
    }
}

/// When an alternative exists: what has to be so, and how that is said.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    label: Arc<str>,
    facts: Arc<[Fact]>,
    opt_in: bool,
}

impl Guard {
    pub fn new(label: &str, facts: Vec<Fact>) -> Self {
        let mut facts = facts;
        facts.truncate(MAX_FACTS);
        Self {
            label: label.into(),
            facts: facts.into(),
            opt_in: false,
        }
    }

    /// The same, and it is not so by default: a flag that nothing here sets has to be set.
    #[must_use]
    pub fn opt_in(self) -> Self {
        Self { opt_in: true, ..self }
    }

    /// See [`Guard::opt_in`].
    pub fn is_opt_in(&self) -> bool {
        self.opt_in
    }

    /// "if x" or "unless x".
    pub fn condition(name: &str, is: bool) -> Self {
        let fact = Fact::condition(name, is);
        Self::new(&fact.label(), vec![fact])
    }

    /// What this fact says.
    pub fn of(fact: Fact) -> Self {
        Self::new(&fact.label(), vec![fact])
    }

    /// Nothing has to be so.
    pub fn is_always(&self) -> bool {
        self.facts.is_empty() && self.label.is_empty()
    }

    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    /// What `subject` equals where this holds.
    pub fn equal(&self, subject: &str) -> Option<&str> {
        let about = self.facts.iter().filter(|f| f.is && &*f.subject == subject);
        about.filter_map(Fact::value).next()
    }

    /// Both at once. Where that cannot be, see [`Guard::excludes`].
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let label = match (self.label.is_empty(), other.label.is_empty()) {
            (true, _) => other.label.clone(),
            (_, true) => self.label.clone(),
            _ if self.label == other.label => self.label.clone(),
            _ if other.facts.iter().all(|f| self.facts.contains(f)) => self.label.clone(),
            _ if self.facts.iter().all(|f| other.facts.contains(f)) => other.label.clone(),
            _ => format!("{} and {}", self.label, other.label).into(),
        };
        let mut facts = self.facts.to_vec();
        facts.extend(other.facts.iter().filter(|f| !self.facts.contains(f)).cloned());
        facts.truncate(MAX_FACTS);
        Self {
            label,
            facts: facts.into(),
            opt_in: self.opt_in || other.opt_in,
        }
    }

    /// [`Guard::and`], in the words of this one where the other one is about nothing else.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let known = |f: &Fact| self.facts.iter().any(|own| own.subject == f.subject);
        let label = match !other.facts.is_empty() && other.facts.iter().all(known) {
            true => self.label.clone(),
            false => return self.and(other),
        };
        Self {
            label,
            ..self.and(other)
        }
    }

    /// They never exist together.
    pub fn excludes(&self, other: &Self) -> bool {
        self.facts.iter().any(|a| other.facts.iter().any(|b| a.contradicts(b)))
    }

    /// Where this exists, the other one does.
    pub fn implies(&self, other: &Self) -> bool {
        other.facts.iter().all(|b| self.facts.iter().any(|a| a.implies(b)))
    }

    /// When this does not exist: one of the ways, where there are several.
    #[must_use]
    pub fn negated(&self) -> Self {
        none_of(std::slice::from_ref(self), &Self::default()).unwrap_or_default()
    }

    /// A guard that says that one fact of this one is not so, in the words of this one where it has no other.
    fn refuted_by(&self, fact: Fact) -> Self {
        let label = match (self.label.strip_prefix("if "), self.label.strip_prefix("unless ")) {
            (Some(name), _) if self.facts.len() == 1 => format!("unless {name}"),
            (_, Some(name)) if self.facts.len() == 1 => format!("if {name}"),
            _ => fact.label(),
        };
        Self::new(&label, vec![fact])
    }

    /// All ways in which this does not exist, which exclude each other.
    pub fn otherwise(&self) -> Vec<Self> {
        let one = |i: usize| {
            let facts = &self.facts[..=i];
            let facts = facts
                .iter()
                .enumerate()
                .map(|(j, f)| if i == j { f.negated() } else { f.clone() });
            facts.fold(Self::default(), |all, f| all.and(&Self::of(f)))
        };
        (0..self.facts.len()).map(one).collect()
    }
}

/// Guards are the same where the same has to be so.
impl PartialEq for Guard {
    fn eq(&self, other: &Self) -> bool {
        self.implies(other) && other.implies(self)
    }
}

impl Eq for Guard {}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// A guard by what people call it. "if x" and "unless x" are about `x`; anything else is a condition of that name.
impl From<&str> for Guard {
    fn from(label: &str) -> Self {
        let (name, is) = match (label.strip_prefix("if "), label.strip_prefix("unless ")) {
            (Some(name), _) => (name, true),
            (_, Some(name)) => (name, false),
            _ if label.is_empty() => return Self::default(),
            _ => (label, true),
        };
        Self::new(label, vec![Fact::condition(name, is)])
    }
}

impl From<String> for Guard {
    fn from(label: String) -> Self {
        Self::from(label.as_str())
    }
}

/// `outer` and `inner` together; `None` is a guard that is always met.
pub fn combined(outer: Option<&Guard>, inner: &Guard) -> Guard {
    outer.map_or_else(|| inner.clone(), |outer| outer.and(inner))
}

/// A way in which none of the guards is met although `given` is; `None` where there is not one.
fn none_of(guards: &[Guard], given: &Guard) -> Option<Guard> {
    let Some((first, rest)) = guards.split_first() else {
        return Some(given.clone());
    };
    if given.excludes(first) {
        return none_of(rest, given);
    }
    first.facts.iter().find_map(|fact| {
        // A table lists every key.
        let fact = Some(fact.negated()).filter(|f| f.is || !matches!(f.test, Test::Key(_)))?;
        let next = first.refuted_by(fact);
        (!given.excludes(&next)).then(|| none_of(rest, &given.and(&next)))?
    })
}

/// Whether one of the guards is met in any case.
pub fn is_certain<'g>(guards: impl Iterator<Item = &'g Guard>) -> bool {
    let guards: Vec<Guard> = guards.cloned().collect();
    none_of(&guards, &Guard::default()).is_none()
}

/// Everything that can be the case for the conditionals inside the values, each with its guard: one that is always met where
/// there are none. `None` where there are more than [`MAX_WORLDS`].
pub fn possible_worlds<'v>(values: impl IntoIterator<Item = &'v Value>) -> Option<Vec<Guard>> {
    let mut worlds = vec![Guard::default()];
    let mut met = Vec::new();
    for value in values {
        conditionals(value, &Guard::default(), 0, &mut met);
    }
    for (under, branches) in met {
        let guards = guards(branches);
        worlds = worlds
            .iter()
            .flat_map(|world| within_world(world, &under, &guards))
            .collect();
        if worlds.len() > MAX_WORLDS {
            return None;
        }
    }
    Some(worlds)
}

/// [`possible_worlds`]; where those are too many, each conditional is decided by itself.
pub fn worlds_or_each<'v>(values: impl IntoIterator<Item = &'v Value> + Clone) -> Vec<Guard> {
    if let Some(worlds) = possible_worlds(values.clone()) {
        return worlds;
    }
    let mut met = Vec::new();
    for value in values {
        conditionals(value, &Guard::default(), 0, &mut met);
    }
    let mut out: Vec<Guard> = Vec::new();
    for (under, branches) in met {
        for world in within_world(&under, &under, &guards(branches)) {
            if !out.contains(&world) {
                out.push(world);
            }
        }
    }
    out
}

fn guards(branches: &[Branch]) -> Vec<Guard> {
    branches.iter().map(|b| b.when.clone()).collect()
}

/// What a world becomes where a conditional with these guards is decided, which is there under `under`.
fn within_world(world: &Guard, under: &Guard, guards: &[Guard]) -> Vec<Guard> {
    if world.excludes(under) || guards.iter().any(|g| world.implies(g)) {
        return vec![world.clone()];
    }
    let possible = guards.iter().filter(|g| !world.excludes(g));
    possible.map(|g| world.and(g)).chain(none_of(guards, world)).collect()
}

/// The conditionals inside a value, each with the guard under which it is there.
fn conditionals<'v>(value: &'v Value, under: &Guard, depth: u32, out: &mut Vec<(Guard, &'v [Branch])>) {
    if depth > MAX_DEPTH || out.len() > 64 {
        return;
    }
    match &value.kind {
        ValueKind::OneOf(branches) => {
            out.push((under.clone(), branches));
            for b in branches.iter() {
                conditionals(&b.value, &under.and(&b.when), depth + 1, out);
            }
        }
        ValueKind::Seq(items) => items.iter().for_each(|v| conditionals(v, under, depth + 1, out)),
        ValueKind::Map(entries) => entries
            .iter()
            .for_each(|e| conditionals(&e.value, under, depth + 1, out)),
        ValueKind::Json(inner) => conditionals(inner, under, depth + 1, out),
        ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) | ValueKind::Str(_) | ValueKind::Unknown(_) => {}
    }
}

/// What a conditional is in a world: `Some(None)` where it is not there, `None` where the world does not decide it.
fn chosen<'v>(branches: &'v [Branch], world: &Guard) -> Option<Option<&'v Value>> {
    if let Some(branch) = branches.iter().find(|b| world.implies(&b.when)) {
        return Some(Some(&branch.value));
    }
    branches.iter().all(|b| world.excludes(&b.when)).then_some(None)
}

impl Value {
    /// The value in a world: conditionals that it decides are decided, alternatives that do not exist in it are left out.
    /// `None` where the value itself is not there.
    pub fn decide(&self, world: &Guard) -> Option<Self> {
        if world.is_always() {
            return Some(self.clone());
        }
        self.decided_at(world, 0)
    }

    fn decided_at(&self, world: &Guard, depth: u32) -> Option<Self> {
        if depth > MAX_DEPTH {
            return Some(self.clone());
        }
        let kind = match &self.kind {
            ValueKind::OneOf(branches) => match chosen(branches, world) {
                Some(value) => return Some(inherited(&value?.decided_at(world, depth + 1)?, &self.via)),
                None => ValueKind::OneOf(
                    branches
                        .iter()
                        .filter(|b| !world.excludes(&b.when))
                        .filter_map(|b| {
                            Some(Branch {
                                when: b.when.clone(),
                                value: b.value.decided_at(&world.and(&b.when), depth + 1)?,
                            })
                        })
                        .collect(),
                ),
            },
            ValueKind::Seq(items) => {
                ValueKind::Seq(items.iter().filter_map(|v| v.decided_at(world, depth + 1)).collect())
            }
            ValueKind::Map(entries) => ValueKind::Map(
                entries
                    .iter()
                    .filter_map(|e| {
                        Some(super::MapEntry {
                            value: e.value.decided_at(world, depth + 1)?,
                            ..e.clone()
                        })
                    })
                    .collect(),
            ),
            ValueKind::Json(inner) => ValueKind::Json(Arc::new(inner.decided_at(world, depth + 1)?)),
            _ => return Some(self.clone()),
        };
        Some(Self { kind, ..self.clone() })
    }

    /// The value at this place in a world, without a copy; a conditional that the world does not decide stays one.
    pub fn in_world(&self, world: &Guard) -> Option<&Self> {
        let mut value = self;
        while let ValueKind::OneOf(branches) = &value.kind {
            match chosen(branches, world) {
                Some(next) => value = next?,
                None => break,
            }
        }
        Some(value)
    }

    /// Follows keys in a world.
    pub fn path_in(&self, keys: &[&str], world: &Guard) -> Option<&Self> {
        let start = self.in_world(world)?;
        keys.iter().try_fold(start, |v, k| v.get(k)?.in_world(world))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(worlds: &[Guard]) -> Vec<String> {
        worlds.iter().map(ToString::to_string).collect()
    }

    fn one_of(branches: &[(Guard, &str)]) -> Value {
        let at = crate::source::Span::NOWHERE;
        let branch = |(when, text): &(Guard, &str)| Branch {
            when: when.clone(),
            value: Value::synthetic(text, at),
        };
        Value::new(ValueKind::OneOf(branches.iter().map(branch).collect()), at)
    }

    #[test]
    fn the_alternatives_that_exist_together() {
        let is = |name: &str| Guard::condition(name, true);
        let not = |name: &str| Guard::condition(name, false);
        let stage = |value: &str| Guard::new(value, vec![Fact::equals("var.stage", value, true)]);
        let region = |value: &str| Guard::new(value, vec![Fact::key("AWS::Region", value)]);
        let both = one_of(&[(is("A"), "x"), (not("A"), "y")]);
        let alone = one_of(&[(is("A"), "x")]);
        let other = one_of(&[(is("B"), "x"), (not("B"), "y")]);
        let staged = one_of(&[(stage("dev"), "x")]);
        let staged_otherwise = one_of(&[(stage("prod"), "y")]);
        let table = one_of(&[(region("eu"), "x"), (region("us"), "y")]);
        for (values, expected) in [
            (vec![&both], vec!["if A", "unless A"]),
            (vec![&alone], vec!["if A", "unless A"]),
            (vec![&both, &alone], vec!["if A", "unless A"]),
            (
                vec![&both, &other],
                vec![
                    "if A and if B",
                    "if A and unless B",
                    "unless A and if B",
                    "unless A and unless B",
                ],
            ),
            (vec![&staged], vec!["dev", r#"unless var.stage is "dev""#]),
            (
                vec![&staged, &staged_otherwise],
                vec![
                    "dev",
                    r#"unless var.stage is "dev" and prod"#,
                    r#"unless var.stage is "dev" and unless var.stage is "prod""#,
                ],
            ),
            (vec![&table], vec!["eu", "us"]),
            (vec![], vec![""]),
        ] {
            assert_eq!(labels(&possible_worlds(values).unwrap_or_default()), expected);
        }
    }

    #[test]
    fn a_guard_excludes_what_contradicts_it() {
        for (a, b, excludes) in [
            ("if A", "unless A", true),
            ("if A", "if A", false),
            ("if A", "unless B", false),
            ("otherwise", "unless otherwise", true),
        ] {
            assert_eq!(Guard::from(a).excludes(&Guard::from(b)), excludes, "{a}, {b}");
        }
        let both = Guard::from("if A").and(&Guard::from("if B"));
        assert!(both.implies(&Guard::from("if B")) && both.excludes(&Guard::from("unless B")));
        assert_eq!(both.negated().to_string(), "unless A");
    }
}
