//! Parts of policies that a default leaves out.
//!
//! `concat([...], var.write ? [{ ... }] : [])` with `default = false` is a policy that has a second statement wherever someone
//! asks for it, as a block with `count = var.write ? 1 : 0` is there wherever someone does. An expression that rests on such
//! defaults is read again with these variables unknown. Of the alternatives that this makes, those that the defaults choose are
//! known, as they make the same value; the others are there for those who ask.

use crate::formats::data;
use crate::formats::recognize::{is_policy, is_statement_shaped};
use crate::iam::glob::{self, CaseSensitivity};
use crate::source::{HoleKind, Text};
use crate::value::guard::{combined, possible_worlds};
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::opened::is_list_of_policy;
use crate::formats::terraform::eval::switches::Switches;
use crate::formats::terraform::eval::unset::{asked_for, is_disabling_default};
use crate::formats::terraform::eval::values::{inherit, is_equivalent};

/// How many defaults of one expression are tried.
const MAX_TRIED: usize = 8;
/// Deepest value that is looked through.
const MAX_DEPTH: u32 = 32;

/// The defaults of variables of the root module that a value rests on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reliance {
    pub(crate) any: bool,
    /// Those that turn off what asks for them.
    off: Switches,
}

impl Reliance {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            any: self.any | other.any,
            off: self.off.and(other.off),
        }
    }
}

/// Variables without which an expression has another value, and the worlds in which it has the value by default.
struct DefaultsEffect {
    of: Switches,
    by_default: Vec<Guard>,
}

impl<'a> TerraformEvaluator<'a> {
    /// The value that is being evaluated rests on the default of this variable of the root module.
    pub(crate) fn note_default(&self, name: &str, default: Option<&Value>) {
        let off = match default {
            Some(default) if disables(default, 0) => self.switch(name),
            _ => Switches::default(),
        };
        self.reliance.set(self.reliance.get().and(Reliance { any: true, off }));
    }

    /// Runs `f`; on which defaults of the root module rests what it gives.
    pub(crate) fn run_noting_reliance<T>(&self, f: impl FnOnce() -> T) -> (T, Reliance) {
        let outer = self.reliance.take();
        let result = f();
        let reliance = self.reliance.get();
        self.reliance.set(outer.and(reliance));
        (result, reliance)
    }

    /// Runs `f`; whether what it gives rests on a default of the root module.
    pub(crate) fn run_noting_defaults<T>(&self, f: impl FnOnce() -> T) -> (T, bool) {
        let (result, reliance) = self.run_noting_reliance(f);
        (result, reliance.any)
    }

    /// A policy, or a list of one, with the parts that defaults leave out, for those who ask for them. `read` is how it is
    /// evaluated.
    pub(crate) fn with_parts_left_out(
        &self,
        value: Value,
        reliance: Reliance,
        name: &str,
        env: &EvalScope<'a>,
        read: impl Fn(&EvalScope<'a>) -> Value,
    ) -> Value {
        let off = reliance.off.without(env.view.switches);
        let is_list = is_list_of_policy(name) || name.ends_with("policy_arns");
        let may_be_policy = || is_list || holds_policy(&value, 0) || lacks_policy(name, &value);
        if env.view.open || off.is_empty() || !may_be_policy() {
            return value;
        }
        let read = |asked: Switches| {
            let env = env.with_switches(asked);
            self.attempt(|| self.run_noting_reliance(|| read(&env)))
        };
        match self.requested(&value, off, &read) {
            Some(whole) if is_list || holds_policy(&whole, 0) => whole,
            _ => value,
        }
    }

    /// The value with what is there where these variables do not have their defaults; `None` where nothing more is.
    fn requested(
        &self,
        value: &Value,
        off: Switches,
        read: &dyn Fn(Switches) -> Option<(Value, Reliance)>,
    ) -> Option<Value> {
        // What stands after a condition that is not met by default may rest on more.
        let more = read(first_few(off)).map_or(off, |(_, reliance)| off.and(reliance.off));
        let all = first_few(more);
        if let Some((whole, _)) = read(all)
            && let Some(by_default) = worlds_of(value, &whole)
        {
            return self.marked(&whole, &[DefaultsEffect { of: all, by_default }]);
        }
        // Each that takes the place of its default in nothing else but conditions.
        let effects: Vec<DefaultsEffect> = all
            .each()
            .filter_map(|of| {
                let by_default = worlds_of(value, &read(of)?.0)?;
                Some(DefaultsEffect { of, by_default })
            })
            .collect();
        let together = effects.iter().fold(Switches::default(), |all, e| all.and(e.of));
        let world = effects.iter().filter_map(|e| e.by_default.first());
        let world = world.fold(Guard::default(), |all, w| all.and(w));
        let (whole, _) = read(together)?;
        match is_same_in(value, &whole, &world) {
            true => self.marked(&whole, &effects),
            false => effects.into_iter().find_map(|e| self.marked(&read(e.of)?.0, &[e])),
        }
    }

    /// The value with alternatives that no default chooses as such; `None` where there is not one.
    fn marked(&self, value: &Value, effects: &[DefaultsEffect]) -> Option<Value> {
        self.marked_at(value, effects, &Guard::default(), 0)
    }

    fn marked_at(&self, value: &Value, effects: &[DefaultsEffect], under: &Guard, depth: u32) -> Option<Value> {
        if depth > MAX_DEPTH || !self.spend(1) {
            return None;
        }
        let inner = |v: &Value| self.marked_at(v, effects, under, depth + 1);
        let kind = match &value.kind {
            ValueKind::OneOf(branches) => return self.marked_branches(value, branches, effects, under, depth),
            ValueKind::Json(json) => ValueKind::Json(inner(json)?.into()),
            ValueKind::Seq(items) => {
                let new: Vec<Option<Value>> = items.iter().map(inner).collect();
                new.iter().any(Option::is_some).then_some(())?;
                let all = new.into_iter().zip(items.iter());
                ValueKind::Seq(all.map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect())
            }
            ValueKind::Map(entries) => {
                let new: Vec<Option<Value>> = entries.iter().map(|e| inner(&e.value)).collect();
                new.iter().any(Option::is_some).then_some(())?;
                let all = new.into_iter().zip(entries.iter());
                let entry = |(new, old): (Option<Value>, &MapEntry)| MapEntry {
                    value: new.unwrap_or_else(|| old.value.clone()),
                    ..old.clone()
                };
                ValueKind::Map(all.map(entry).collect())
            }
            _ => return None,
        };
        Some(Value { kind, ..value.clone() })
    }

    fn marked_branches(
        &self,
        value: &Value,
        branches: &[Branch],
        effects: &[DefaultsEffect],
        under: &Guard,
        depth: u32,
    ) -> Option<Value> {
        let requested = |b: &Branch| {
            let when = combined(Some(under), &b.when);
            let excludes = |e: &&DefaultsEffect| e.by_default.iter().all(|world| world.excludes(&when));
            let of = effects.iter().filter(excludes).map(|e| e.of);
            of.reduce(Switches::and)
        };
        let asked: Vec<Option<Switches>> = branches.iter().map(requested).collect();
        let mut changed = false;
        let mut out: Vec<Branch> = Vec::new();
        for (b, asked) in branches.iter().zip(&asked) {
            let new = match asked {
                Some(of) => Branch {
                    when: self.requested_guard(&b.when, *of),
                    value: b.value.clone(),
                },
                None => {
                    let under = combined(Some(under), &b.when);
                    match self.marked_at(&b.value, effects, &under, depth + 1) {
                        Some(value) => Branch { value, ..b.clone() },
                        None => {
                            out.push(b.clone());
                            continue;
                        }
                    }
                }
            };
            changed = true;
            out.push(new);
        }
        let is_asked = |i: usize| asked[i].is_some();
        let kept: Vec<usize> = (0..branches.len()).filter(|i| !is_asked(*i)).collect();
        let by_default: Vec<&Value> = kept.iter().map(|i| &branches[*i].value).collect();
        let renamed = |i: usize| is_asked(i) && is_renamed(&by_default, &branches[i].value);
        if !kept.is_empty() && kept.len() < branches.len() && (0..branches.len()).all(|i| !is_asked(i) || renamed(i)) {
            return Some(match kept.as_slice() {
                [only] => inherit(&out[*only].value, &value.via),
                _ => Value {
                    kind: ValueKind::OneOf(kept.iter().map(|i| out[*i].clone()).collect()),
                    ..value.clone()
                },
            });
        }
        let kind = ValueKind::OneOf(out.into());
        changed.then(|| Value { kind, ..value.clone() })
    }

    /// A condition that is not met by default, in the words of the variable that decides it, where it is one alone.
    fn requested_guard(&self, when: &Guard, of: Switches) -> Guard {
        let root = self.modules.borrow().get(&self.scope).cloned();
        let name = self.only_switch(of).filter(|_| when.facts().len() == 1);
        let words = root.zip(name).and_then(|(root, name)| {
            let default = root.directory.variables.get(&*name)?.expr("default")?;
            let default = self.expr(default, &root.env());
            is_disabling_default(&default).then(|| asked_for(&name, matches!(default.kind, ValueKind::Bool(_))))
        });
        match words {
            Some(words) => Guard::new(&words, when.facts().to_vec()).opt_in(),
            None => when.clone().opt_in(),
        }
    }
}

/// Whether a default, or an attribute of it, turns off what asks for it.
fn disables(default: &Value, depth: u32) -> bool {
    let inner = |e: &MapEntry| disables(&e.value, depth + 1);
    is_disabling_default(default) || depth < 4 && default.entries().is_some_and(|all| all.iter().any(inner))
}

fn first_few(switches: Switches) -> Switches {
    switches.each().take(MAX_TRIED).fold(Switches::default(), Switches::and)
}

/// The worlds of `whole` in which it is `value`; `None` where there is not one, or where it is that in all of them.
fn worlds_of(value: &Value, whole: &Value) -> Option<Vec<Guard>> {
    let worlds = possible_worlds([whole])?;
    let all = worlds.len();
    let same: Vec<Guard> = worlds.into_iter().filter(|w| is_same_in(value, whole, w)).collect();
    (!same.is_empty() && same.len() < all).then_some(same)
}

fn is_same_in(a: &Value, b: &Value, world: &Guard) -> bool {
    match (a.decide(world), b.decide(world)) {
        (Some(a), Some(b)) => is_equivalent(&a, &b, 0),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Whether what an input asks for has other names in it than what is there by default, and is the same otherwise: names go
/// with the names of the resources, which have their defaults.
fn is_renamed(by_default: &[&Value], asked: &Value) -> bool {
    by_default.iter().any(|v| is_same_but_names(v, asked, 0))
}

fn is_same_but_names(a: &Value, b: &Value, depth: u32) -> bool {
    let inner = |a: &Value, b: &Value| is_same_but_names(a, b, depth + 1);
    match (&a.kind, &b.kind) {
        _ if depth > MAX_DEPTH => false,
        _ if is_equivalent(a, b, 0) => true,
        (_, ValueKind::Unknown(hole)) => hole.target.is_none(),
        (_, ValueKind::Null) => true,
        (ValueKind::Str(x), ValueKind::Str(y)) => {
            let parsed = |v: &Value, text| data::embedded(text, v.span).map(|(value, _)| value);
            match (parsed(a, x), parsed(b, y)) {
                (Some(x), Some(y)) => inner(&x, &y),
                _ => is_other_name(x, y),
            }
        }
        (ValueKind::Json(a), ValueKind::Json(b)) => inner(a, b),
        (ValueKind::Seq(x), ValueKind::Seq(y)) => {
            x.len() == y.len() && x.iter().zip(y.iter()).all(|(a, b)| inner(a, b))
        }
        (ValueKind::Map(x), ValueKind::Map(y)) => {
            let same = |(a, b): (&MapEntry, &MapEntry)| a.key.display() == b.key.display() && inner(&a.value, &b.value);
            x.len() == y.len() && x.iter().zip(y.iter()).all(same)
        }
        _ => false,
    }
}

/// A text with a part that an input gives, or the ARN of another thing of the same account that is not more.
fn is_other_name(by_default: &Text, asked: &Text) -> bool {
    if asked.holes().any(|hole| hole.kind == HoleKind::Input) {
        return true;
    }
    let (a, b) = (by_default.with_placeholders(), asked.with_placeholders());
    let part = |text: &str, at: usize| text.split(':').nth(at).map(str::to_owned);
    let is_part_equal = |at: usize| part(&a, at) == part(&b, at);
    let is_of_same_account = b.starts_with("arn:") && is_part_equal(0) && is_part_equal(2) && is_part_equal(4);
    is_of_same_account && !glob::covers(&b, &a, CaseSensitivity::Sensitive)
}

/// Whether a policy, or statements of one, are in a value.
fn holds_policy(value: &Value, depth: u32) -> bool {
    let inner = |v: &Value| holds_policy(v, depth + 1);
    depth < 8
        && match &value.kind {
            _ if is_policy(value) || is_statement_shaped(value) || is_policy_text(value) => true,
            ValueKind::Json(json) => inner(json),
            ValueKind::Seq(items) => items.iter().any(inner),
            ValueKind::OneOf(branches) => branches.iter().any(|b| inner(&b.value)),
            ValueKind::Map(entries) => entries.iter().any(|e| inner(&e.value)),
            _ => false,
        }
}

fn is_policy_text(value: &Value) -> bool {
    let begins = |text: &&Text| text.prefix().trim_start().starts_with('{');
    let text = value.as_text().filter(begins);
    text.is_some_and(|text| text.display().contains("\"Statement\""))
}

/// Whether a policy could stand where nothing stands by default.
fn lacks_policy(name: &str, value: &Value) -> bool {
    let is_nothing = match &value.kind {
        ValueKind::Null => true,
        ValueKind::Str(text) => text.is_empty(),
        ValueKind::Seq(items) => items.is_empty(),
        ValueKind::Map(entries) => entries.is_empty(),
        _ => false,
    };
    is_nothing
        && ["polic", "statement", "document"]
            .iter()
            .any(|word| name.contains(word))
}
