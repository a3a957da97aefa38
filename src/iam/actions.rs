//! Sets of actions, and what a pattern of actions comes to.
//!
//! **Invariant:** a set holds current actions of the catalogue only. Names that the catalogue does not know, and retired
//! ones, are no one's members: ask the catalogue about them.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::catalogue::{AccessLevel, Action, ActionId, ActionMask, catalogue};
use super::glob::{self, CaseSensitivity};

/// A set of actions.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ActionSet {
    /// The number of the first word. Actions are in the order of their names, so that those of one service lie together:
    /// nothing is kept of what lies before and behind.
    first: usize,
    /// 64 actions a word; neither the first nor the last word is empty, and the empty set has none. Shared: `*` alone is
    /// some 300 words, and policies are full of it.
    words: Option<Arc<Vec<u64>>>,
}

impl ActionSet {
    pub fn empty() -> Self {
        Self::default()
    }

    fn from_words(first: usize, mut words: Vec<u64>) -> Self {
        let end = words.iter().rposition(|w| *w != 0).map_or(0, |last| last + 1);
        words.truncate(end);
        let start = words.iter().position(|w| *w != 0).unwrap_or(0);
        words.drain(..start);
        if words.is_empty() {
            return Self::empty();
        }
        Self {
            first: first + start,
            words: Some(Arc::new(words)),
        }
    }

    fn words(&self) -> &[u64] {
        self.words.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Every action of AWS.
    pub fn all() -> Self {
        Self::all_current().clone()
    }

    fn all_current() -> &'static Self {
        static ALL: OnceLock<ActionSet> = OnceLock::new();
        ALL.get_or_init(|| Self::from_words(0, catalogue().mask(ActionMask::Current, 0).collect()))
    }

    /// The words of this range, to be filled in.
    fn words_in(&mut self, range: Range<usize>) -> &mut [u64] {
        let words = Arc::make_mut(self.words.get_or_insert_default());
        if words.is_empty() {
            self.first = range.start;
        }
        if let Some(before) = self.first.checked_sub(range.start).filter(|n| *n > 0) {
            words.splice(0..0, std::iter::repeat_n(0, before));
            self.first = range.start;
        }
        let len = words.len().max(range.end - self.first);
        words.resize(len, 0);
        &mut words[range.start - self.first..range.end - self.first]
    }

    fn range(&self) -> Range<usize> {
        self.first..self.first + self.words().len()
    }

    fn word(&self, index: usize) -> u64 {
        let at = index.checked_sub(self.first);
        at.and_then(|i| self.words().get(i)).copied().unwrap_or(0)
    }

    /// The actions that an item of `Action` stands for: a name, a pattern with `*` and `?` in any place, or `*`. Case does
    /// not count.
    pub fn expand(pattern: &str) -> Self {
        let mut set = Self::empty();
        set.expand_into(pattern);
        set
    }

    /// Adds what [`Self::expand`] gives.
    pub fn expand_into(&mut self, pattern: &str) {
        if !pattern.is_empty() && pattern.bytes().all(|b| b == b'*') {
            self.union_with(Self::all_current());
            return;
        }
        for action in matching(pattern) {
            self.insert(action);
        }
    }

    /// The union of what the patterns stand for.
    pub fn expand_all<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self::empty();
        for pattern in patterns {
            set.expand_into(pattern);
        }
        set
    }

    /// Adds an action, unless it is retired.
    pub fn insert(&mut self, action: Action) {
        if !action.is_retired() {
            self.set(action.id());
        }
    }

    fn set(&mut self, ActionId(id): ActionId) {
        let word = usize::from(id) / 64;
        self.words_in(word..word + 1)[0] |= 1 << (id % 64);
    }

    pub fn contains(&self, ActionId(id): ActionId) -> bool {
        self.word(usize::from(id) / 64) >> (id % 64) & 1 == 1
    }

    /// By name, in any case.
    pub fn contains_name(&self, name: &str) -> bool {
        catalogue().action(name).is_some_and(|a| self.contains(a.id()))
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_none()
    }

    pub fn len(&self) -> usize {
        self.words().iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Every action is in it.
    pub fn is_all(&self) -> bool {
        self == Self::all_current()
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = Action> {
        self.range().zip(self.words()).flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.checked_sub(1)?;
                Some(Action(index as u32 * 64 + bit))
            })
        })
    }

    /// What `NotAction` with these items stands for: every other current action.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut set = Self::all();
        set.subtract(self);
        set
    }

    pub fn union_with(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            *self = other.clone();
        } else if !other.is_subset(self) {
            let words = self.words_in(other.range());
            words
                .iter_mut()
                .zip(other.words())
                .for_each(|(word, more)| *word |= more);
        }
    }

    pub fn subtract(&mut self, other: &Self) {
        if self.intersects(other) {
            self.keep(|index| !other.word(index));
        }
    }

    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.subtract(other);
        out
    }

    pub fn intersect(&mut self, other: &Self) {
        if !self.is_subset(other) {
            self.keep(|index| other.word(index));
        }
    }

    /// Keeps what the mask of each word has.
    fn keep(&mut self, mask: impl Fn(usize) -> u64) {
        let kept = self.range().zip(self.words()).map(|(index, word)| word & mask(index));
        *self = Self::from_words(self.first, kept.collect());
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.range()
            .zip(self.words())
            .all(|(index, word)| word & !other.word(index) == 0)
    }

    pub fn intersects(&self, other: &Self) -> bool {
        self.range()
            .zip(self.words())
            .any(|(index, word)| word & other.word(index) != 0)
    }

    /// Those of this access level.
    #[must_use]
    pub fn with_level(&self, level: AccessLevel) -> Self {
        self.masked(match level {
            AccessLevel::List => ActionMask::List,
            AccessLevel::Read => ActionMask::Read,
            AccessLevel::Write => ActionMask::Write,
            AccessLevel::Tagging => ActionMask::Tagging,
            AccessLevel::PermissionsManagement => ActionMask::PermissionsManagement,
        })
    }

    /// What the Allow statements of a policy document name in `Action`.
    pub fn allowed_by(document: &serde_json::Value) -> Self {
        let mut set = Self::empty();
        for statement in one_or_more(&document["Statement"]) {
            if statement["Effect"] == "Allow" {
                let actions = one_or_more(&statement["Action"]).iter().filter_map(|a| a.as_str());
                actions.for_each(|action| set.expand_into(action));
            }
        }
        set
    }

    /// How many of each access level.
    pub fn by_level(&self) -> Levels {
        let count = |level| self.with_level(level).len();
        Levels {
            list: count(AccessLevel::List),
            read: count(AccessLevel::Read),
            tagging: count(AccessLevel::Tagging),
            write: count(AccessLevel::Write),
            permissions_management: count(AccessLevel::PermissionsManagement),
        }
    }

    /// Those that a statement can scope to what they work on (`rules/facts/hand/helper-resources.txt` has those that take
    /// other resources only).
    #[must_use]
    pub fn scopable(&self) -> Self {
        self.masked(ActionMask::Scopable)
    }

    fn masked(&self, mask: ActionMask) -> Self {
        let mask = catalogue().mask(mask, self.first);
        let words = self.words().iter().zip(mask).map(|(a, b)| a & b);
        Self::from_words(self.first, words.collect())
    }

    /// The most severe of them, at most `count`, the most severe first: what reviewers fear most before all, then permissions
    /// management before writes before reads, and what destroys before what makes.
    pub fn most_severe(&self, count: usize) -> Vec<&'static str> {
        let mut ranked: Vec<_> = self.iter().map(|a| (a.severity_rank(), a)).collect();
        if ranked.len() > count {
            ranked.select_nth_unstable(count);
            ranked.truncate(count);
        }
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, a)| a.name()).collect()
    }

    /// The IAM prefixes of the services that it has actions of, sorted as actions are.
    pub fn services(&self) -> Vec<&'static str> {
        let mut prefixes: Vec<&'static str> = Vec::new();
        for action in self.iter() {
            let prefix = action.name().split(':').next().unwrap_or("");
            if prefixes.last() != Some(&prefix) {
                prefixes.push(prefix);
            }
        }
        prefixes
    }
}

/// Whether an action pattern reads like one operation and is one: the few actions that it matches are on one thing
/// (`ses:*SuppressedDestination`), or variants of the action that it begins with (`s3:DeleteObject*`), and none of them manages
/// permissions. `set` is what it matches.
pub fn is_one_operation(pattern: &str, set: &ActionSet) -> bool {
    /// `Create`, `Update` and `Delete` of one thing.
    const FEW: usize = 3;
    let changing = set.iter().filter(|a| a.level().changes()).count();
    let manages = |a: Action| {
        a.level() == AccessLevel::PermissionsManagement || a.second_level() == Some(AccessLevel::PermissionsManagement)
    };
    let variants = pattern
        .strip_suffix('*')
        .is_some_and(|stem| !glob::is_pattern(stem) && catalogue().action(stem).is_some_and(|a| set.contains(a.id())));
    changing <= 1 || ((changing <= FEW || variants) && !set.iter().any(manages))
}

/// The actions, retired ones too, that a name or a pattern stands for, in the order of their names.
pub fn matching(pattern: &str) -> impl Iterator<Item = Action> {
    let wildcard = pattern.find(['*', '?']);
    let (rows, rest) = match wildcard {
        Some(at) => (catalogue().actions_with_prefix(&pattern[..at]), &pattern[at..]),
        None => (catalogue().action(pattern).map_or(0..0, |a| a.0..a.0 + 1), ""),
    };
    // `s3:*`, `s3:Get*`: all that begin so.
    let whole = rest.bytes().all(|b| b == b'*');
    rows.map(Action)
        .filter(move |a| whole || glob::matches(pattern, a.name(), CaseSensitivity::Insensitive))
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        let mut set = Self::empty();
        for action in actions {
            set.insert(action);
        }
        set
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// How many actions of each access level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Levels {
    pub list: usize,
    pub read: usize,
    pub tagging: usize,
    pub write: usize,
    pub permissions_management: usize,
}

impl Levels {
    pub fn get(&self, level: AccessLevel) -> usize {
        match level {
            AccessLevel::List => self.list,
            AccessLevel::Read => self.read,
            AccessLevel::Tagging => self.tagging,
            AccessLevel::Write => self.write,
            AccessLevel::PermissionsManagement => self.permissions_management,
        }
    }

    pub fn total(&self) -> usize {
        AccessLevel::ALL.into_iter().map(|l| self.get(l)).sum()
    }

    /// Only one level has actions.
    pub fn is_single(&self) -> bool {
        self.highest().is_some_and(|l| self.get(l) == self.total())
    }

    /// The most severe level with an action.
    pub fn highest(&self) -> Option<AccessLevel> {
        AccessLevel::ALL.into_iter().rev().find(|l| self.get(*l) > 0)
    }
}

/// "9 permissions management, 51 write, 3 tagging, 60 read, 12 list", without the levels that have none.
/// The items of a list, or the value itself.
fn one_or_more(value: &serde_json::Value) -> &[serde_json::Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for level in AccessLevel::ALL.into_iter().rev().filter(|l| self.get(*l) > 0) {
            let comma = if first { "" } else { ", " };
            write!(f, "{comma}{} {}", self.get(level), level.name())?;
            first = false;
        }
        Ok(())
    }
}
