//! A gain in words and places.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::callers;
use super::concrete::{LoneDocument, Values};
use super::gains::{GrantPart, NewGrant, rank};
use super::glob::{Fields, Reading, Symbols, TextGlob};
use super::real;
use super::request::{Witness, WitnessValue};
use super::search::{Constraint, FoundText, member};
use super::severity::severity;
use super::shown_actions::{ShownActions, actions};
use super::solve::Frame;
use super::statements::names_principals;
use crate::finding::Severity;
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::pattern::is_star;
use crate::iam::{ActionSet, Clause, ClauseItem, Condition, Document, PrincipalItem, Statement, catalogue};
use crate::source::Span;
use crate::value::Guard;

/// Principals that are tried one by one.
const MAX_ITEMS: usize = 40;
/// Requests by which it is tried what of a Deny is gone.
const MAX_REQUESTS: usize = 8;
/// Items that are tried for all actions of a gain, and parts of it.
const MAX_TRIED: usize = 1_000;
const MAX_PARTS: usize = 256;
/// Resources of Deny statements that are looked at.
const MAX_DENIED: usize = 16;

/// What one statement grants beyond another document.
#[derive(Clone, Debug)]
pub struct Change {
    /// As patterns, where all of a pattern is granted.
    pub actions: Vec<String>,
    /// As they are written.
    pub resources: Vec<String>,
    /// As they are written; none in an identity policy.
    pub principals: Vec<String>,
    pub conditions: Vec<ChangeCondition>,
    pub request: Witness,
    /// The token that grants it.
    pub span: Span,
    /// Where the other document denies it.
    pub denied_at: Option<Span>,
    pub severity: Severity,
    /// The actions have no such resources, as far as the AWS data says.
    pub is_unreal: bool,
}

/// A line of a `Condition` block, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeCondition {
    pub operator: String,
    pub key: String,
    pub values: Vec<String>,
}

/// Says what gains are: what they are compared with is read once.
pub struct Describer<'d> {
    old: &'d Document,
    new: &'d Document,
    written: WrittenStatements,
    /// Both documents with the values of the gain before.
    judges: Option<Judges<'d>>,
}

/// Two documents with the same values for what is not known.
struct Judges<'d> {
    values: Values,
    worlds: Vec<Guard>,
    /// The old and the new one in each of these.
    cases: Vec<[LoneDocument<'d>; 2]>,
    /// What Deny statements of the old document are about.
    denied: Vec<TextGlob>,
}

/// What an Allow statement has, in lower case.
#[derive(Default)]
struct WrittenTexts {
    actions: HashSet<String>,
    resources: HashSet<String>,
    principals: HashSet<String>,
    conditions: HashSet<String>,
    /// Each with the operator and the key.
    values: HashSet<(String, String)>,
}

impl WrittenTexts {
    fn new(s: &Statement) -> Self {
        let principals = s.principal.iter().flat_map(|p| &p.items);
        Self {
            actions: s.written_actions().map(text).collect(),
            resources: s.written_resources().map(text).collect(),
            principals: principals.map(|i| text(&i.value)).collect(),
            conditions: s.conditions.iter().map(line).collect(),
            values: s
                .conditions
                .iter()
                .flat_map(|c| c.values.iter().map(|v| (head(c), v.display())))
                .collect(),
        }
    }

    /// Each with the list that it is in.
    fn all(&self) -> impl Iterator<Item = (u8, &String)> {
        let lists = [&self.actions, &self.resources, &self.principals, &self.conditions];
        let lists = (0u8..).zip(lists);
        lists.flat_map(|(n, list)| list.iter().map(move |text| (n, text)))
    }
}

/// The Allow statements of the other document, by what they have.
#[derive(Default)]
struct WrittenStatements {
    all: Vec<WrittenTexts>,
    by_text: HashMap<(u8, String), Vec<usize>>,
}

/// What more statements than this have tells none of them.
const MAX_ALIKE: usize = 64;

impl WrittenStatements {
    fn new(document: &Document) -> Self {
        let mut out = Self::default();
        let allows = document.statements.iter();
        for s in allows.filter(|s| s.is_written_as_allow()) {
            let texts = WrittenTexts::new(s);
            for (list, text) in texts.all() {
                out.by_text.entry((list, text.clone())).or_default().push(out.all.len());
            }
            out.all.push(texts);
        }
        out
    }

    /// The statement that has most in common with this one: what it was before it was edited.
    fn nearest(&self, s: &Statement) -> Option<&WrittenTexts> {
        let own = WrittenTexts::new(s);
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for (list, text) in own.all() {
            let known = self
                .by_text
                .get(&(list, text.clone()))
                .filter(|all| all.len() <= MAX_ALIKE);
            for at in known.into_iter().flatten() {
                // Most statements are on `*`.
                *common.entry(*at).or_default() += if text == "*" { 1 } else { 2 };
            }
        }
        let nearest = common.into_iter().max_by_key(|(at, common)| (*common, Reverse(*at)));
        nearest.and_then(|(at, _)| self.all.get(at))
    }
}

fn text(item: &ClauseItem) -> String {
    item.display().to_lowercase()
}

impl<'d> Describer<'d> {
    /// Of what `new` grants and `old` does not.
    pub fn new(old: &'d Document, new: &'d Document) -> Self {
        Self {
            old,
            new,
            written: WrittenStatements::new(old),
            judges: None,
        }
    }

    /// What `gain`, of a statement of the new document, is: the worst first, and one for all actions that are new on the same
    /// resources.
    pub fn describe(&mut self, gain: &NewGrant) -> Vec<Change> {
        let Some(s) = self.new.statements.get(gain.statement) else {
            return Vec::new();
        };
        let is_of = |judges: &Judges<'_>| judges.values == gain.values && judges.worlds == gain.worlds;
        if !self.judges.as_ref().is_some_and(is_of) {
            let values = &gain.values;
            let has_principals = [self.old, self.new].into_iter().any(names_principals);
            let in_world = |world: &Guard| {
                let [old, new] = [self.old, self.new];
                [old, new].map(|document| LoneDocument::in_world(document, world, values, has_principals))
            };
            self.judges = Some(Judges {
                values: values.clone(),
                worlds: gain.worlds.clone(),
                cases: gain.worlds.iter().map(in_world).collect(),
                denied: denied_resources(self.old, values),
            });
        }
        let Some(judges) = self.judges.as_ref() else {
            return Vec::new();
        };
        let nothing = WrittenTexts::default();
        let description = GainDescription {
            gain,
            judges,
            before: self.written.nearest(s).unwrap_or(&nothing),
        };
        let groups = description.groups(s);
        let principals = description.principals(s);
        let on = groups.first().map(|g| &*g.resources).unwrap_or_default();
        let span = description.token(s, on, &principals);
        let conditions: Vec<ChangeCondition> = s.conditions.iter().map(change_condition).collect();
        let each = groups.into_iter().map(|group| {
            let denied = judges
                .cases
                .iter()
                .find_map(|[old, _]| old.denied_by(&group.request))
                .and_then(|at| self.old.statements.get(at));
            let on = shown(s.resource.as_ref().is_some_and(|c| c.negated), &group.resources);
            let resources = denied.map_or_else(|| on.clone(), |d| description.narrowed(&on, d, &group));
            Change {
                severity: match gain.is_unreal || needs_a_wildcard(&group.request) {
                    true => Severity::Low,
                    false => severity(&group.set, is_anything(s, &group.resources), is_anyone(s, &principals)),
                },
                actions: group.actions,
                span,
                resources,
                principals: shown(s.principal.as_ref().is_some_and(|c| c.negated), &principals),
                conditions: conditions.clone(),
                request: group.request,
                denied_at: denied.map(|s| s.effect.as_ref().map_or(s.span, |e| e.span)),
                is_unreal: gain.is_unreal,
            }
        });
        each.collect()
    }
}

fn change_condition(c: &Condition) -> ChangeCondition {
    ChangeCondition {
        operator: c.operator.display(),
        key: c.key.display(),
        values: c.values.iter().map(ClauseItem::display).collect(),
    }
}

/// Whether the request has a value with a wildcard in it, which no request has: the operator takes it for a character. Prefixes
/// of Amazon S3 are what the caller writes.
fn needs_a_wildcard(request: &Witness) -> bool {
    let mut context = request.context.iter().filter(|(key, _)| *key != "s3:prefix");
    context.any(|(_, value)| value.values().iter().any(|v| v.contains('*')))
}

/// Whether the resources are not limited, or to all but some.
fn is_anything(s: &Statement, resources: &[&ClauseItem]) -> bool {
    s.resource.as_ref().is_some_and(|c| c.negated) || resources.iter().any(|i| is_star(&i.text))
}

fn is_anyone(s: &Statement, principals: &[&ClauseItem]) -> bool {
    s.principal.as_ref().is_some_and(|c| c.negated) || principals.iter().any(|i| is_star(&i.text))
}

fn shown(negated: bool, items: &[&ClauseItem]) -> Vec<String> {
    let mut seen = HashSet::new();
    let all = items.iter().map(|i| i.display());
    let once = all.filter(|text| seen.insert(text.clone()));
    match negated {
        true => once.map(|text| format!("not {text}")).collect(),
        false => once.collect(),
    }
}

struct GainDescription<'g> {
    gain: &'g NewGrant,
    judges: &'g Judges<'g>,
    /// What the statement was in the other document.
    before: &'g WrittenTexts,
}

/// What is new on the same resources.
struct ActionGroup<'s> {
    actions: Vec<String>,
    set: ActionSet,
    resources: Vec<&'s ClauseItem>,
    request: Witness,
}

impl GainDescription<'_> {
    fn is_new(&self, request: &Witness) -> bool {
        let mut cases = self.judges.cases.iter();
        cases.any(|[old, new]| new.allows(request).is_yes() && old.allows(request).is_no())
    }

    /// The actions by the resources that they are new on.
    fn groups<'s>(&self, s: &'s Statement) -> Vec<ActionGroup<'s>> {
        let all: &[ClauseItem] = s.resource.as_ref().map_or(&[], |c| &c.items);
        let shown = actions(self.gain, s);
        let is_plain = all.len() < 2 || s.resource.as_ref().is_some_and(|c| c.negated);
        if is_plain {
            return vec![ActionGroup {
                actions: shown.into_iter().map(|a| a.text).collect(),
                set: self.gain.actions.clone(),
                resources: all.iter().collect(),
                request: self.gain.request.clone(),
            }];
        }
        let mut left = MAX_TRIED;
        let found: Vec<(&GrantPart, Vec<bool>)> = self
            .gain
            .parts
            .iter()
            .take(MAX_PARTS)
            .map(|part| (part, self.resources(all, &part.request, &mut left)))
            .collect();
        let mut groups: Vec<(Vec<bool>, ActionGroup<'s>)> = Vec::new();
        for ShownActions { text, set } in shown {
            let mut on = vec![false; all.len()];
            for (_, own) in found
                .iter()
                .filter(|(p, _)| p.actions == set || p.actions.intersects(&set))
            {
                on.iter_mut().zip(own).for_each(|(on, own)| *on |= own);
            }
            if !on.contains(&true) {
                on = self.fresh(all);
            }
            match groups.iter_mut().find(|(known, _)| *known == on) {
                Some((_, group)) => {
                    group.actions.push(text);
                    group.set.union_with(&set);
                }
                None => {
                    let resources = all.iter().zip(&on).filter(|(_, on)| **on).map(|(i, _)| i);
                    let group = ActionGroup {
                        actions: vec![text],
                        set,
                        resources: resources.collect(),
                        request: self.gain.request.clone(),
                    };
                    groups.push((on, group));
                }
            }
        }
        let mut out: Vec<ActionGroup<'s>> = groups.into_iter().map(|(_, group)| group).collect();
        out.sort_by_key(|g| rank(&g.set));
        for group in out.iter_mut().skip(1) {
            let own = self.gain.parts.iter().filter(|p| p.actions.intersects(&group.set));
            if let Some(part) = own.min_by_key(|p| rank(&p.actions)) {
                group.request = part.request.clone();
            }
        }
        out
    }

    /// Of each resource of the statement: whether it is not in the other document, if any is not.
    fn fresh(&self, all: &[ClauseItem]) -> Vec<bool> {
        let of: Vec<bool> = all.iter().map(|i| !self.before.resources.contains(&text(i))).collect();
        match of.contains(&true) {
            true => of,
            false => vec![true; all.len()],
        }
    }

    /// Of these resources, what a Deny was about, and is no more.
    fn narrowed(&self, resources: &[String], denied: &Statement, group: &ActionGroup<'_>) -> Vec<String> {
        let items = denied.resource.iter().filter(|c| !c.negated).flat_map(|c| &c.items);
        let items: Vec<ClauseItem> = items.cloned().collect();
        let mut left = MAX_ITEMS;
        // Some of the actions are on one of them, and others on another.
        let of_group = |p: &&GrantPart| p.actions.iter().any(|a| group.set.contains(a.id()));
        let parts = self.gain.parts.iter().filter(of_group).map(|p| &p.request);
        let each = std::iter::once(&group.request).chain(parts).take(MAX_REQUESTS);
        let is_new: Vec<Vec<bool>> = each.map(|request| self.resources(&items, request, &mut left)).collect();
        let fresh: Vec<String> = items
            .iter()
            .enumerate()
            .filter(|(at, _)| is_new.iter().any(|new| new[*at]))
            .map(|(_, i)| i.display())
            .collect();
        let covers = |wide: &str, narrow: &str| glob::matches(wide, narrow, CaseSensitivity::Sensitive);
        let mut out: Vec<String> = Vec::new();
        for on in resources {
            // All of it was denied, or parts of it.
            match fresh.iter().any(|deny| covers(deny, on)) {
                true => out.push(on.clone()),
                false => out.extend(fresh.iter().filter(|deny| overlap(deny, on)).cloned()),
            }
        }
        if out.is_empty() {
            return resources.to_vec();
        }
        let mut seen = HashSet::new();
        out.retain(|text| seen.insert(text.clone()));
        out
    }

    /// Of each resource of the statement: whether what the request does is new there.
    fn resources(&self, all: &[ClauseItem], request: &Witness, left: &mut usize) -> Vec<bool> {
        let action = catalogue().action(&request.action);
        let frames = [false, true].map(|loose| action.map(|a| real::resources_of(a, loose)).unwrap_or_default());
        // What the AWS data does not have, no pattern of it tells apart.
        let is_it = |frame: &&Frame| frame.resources.iter().any(|g| g.matches(&request.resource));
        let nothing = Frame::default();
        let frame = frames.iter().find(is_it).unwrap_or(&nothing);
        let mut is_new = |item: &ClauseItem| {
            let Some(glob) = self.glob(item, request) else {
                return false;
            };
            if glob.matches(&request.resource) {
                return true;
            }
            let Some(fewer) = left.checked_sub(1) else {
                return !self.before.resources.contains(&text(item));
            };
            *left = fewer;
            let mut constraints: Vec<Constraint<'_>> = vec![Constraint {
                globs: std::slice::from_ref(&glob),
                inside: true,
            }];
            if !frame.resources.is_empty() {
                constraints.push(Constraint {
                    globs: &frame.resources,
                    inside: true,
                });
            }
            let is_new_on = |constraints: &[Constraint<'_>]| match member(constraints, &frame.samples) {
                // An empty text is no resource.
                FoundText::Text(resource) if !resource.is_empty() => self.is_new(&Witness {
                    resource,
                    ..request.clone()
                }),
                _ => false,
            };
            let of_deny = |denied: &TextGlob| {
                let mut within = constraints.clone();
                within.push(Constraint {
                    globs: std::slice::from_ref(denied),
                    inside: true,
                });
                is_new_on(&within)
            };
            is_new_on(&constraints) || self.judges.denied.iter().any(of_deny)
        };
        all.iter().map(&mut is_new).collect()
    }

    fn glob(&self, item: &ClauseItem, request: &Witness) -> Option<TextGlob> {
        let one = |(key, value): (&String, &WitnessValue)| match value.values() {
            [one] => Some((key.clone(), one.clone())),
            _ => None,
        };
        let context = request.context.iter().filter_map(one).collect();
        resource_glob(item, &self.gain.values, context)
    }

    /// The principals of the statement for whom something is new.
    fn principals<'s>(&self, s: &'s Statement) -> Vec<&'s ClauseItem> {
        let Some(clause) = &s.principal else {
            return Vec::new();
        };
        let items = || clause.items.iter().map(|i| &i.value);
        if clause.negated || clause.items.len() < 2 {
            return items().collect();
        }
        let everyone = callers::every_caller(true);
        let is_new = |item: &PrincipalItem| {
            let mut symbols = Symbols::default();
            symbols.fillings.clone_from(&self.gain.values);
            let Ok(Some(globs)) = callers::named(item, false, &mut symbols) else {
                return false;
            };
            if globs.iter().any(|g| g.matches(&self.gain.request.caller)) {
                return true;
            }
            let of = |globs| Constraint { globs, inside: true };
            let FoundText::Text(caller) = member(&[of(&*globs), of(&*everyone)], &[]) else {
                return false;
            };
            let request = self.gain.request.by(&caller);
            request.in_each_partition().iter().any(|r| self.is_new(r))
        };
        let is_fresh = |item: &PrincipalItem| !self.before.principals.contains(&text(&item.value));
        let all = clause.items.iter().enumerate();
        all.filter(|(n, item)| if *n < MAX_ITEMS { is_new(item) } else { is_fresh(item) })
            .map(|(_, item)| &item.value)
            .collect()
    }

    /// The token that a reader would look at: what the other document does not have.
    fn token(&self, s: &Statement, resources: &[&ClauseItem], principals: &[&ClauseItem]) -> Span {
        let granting = self.granting_action(s);
        let before = self.before;
        if let Some(item) = granting.filter(|i| !before.actions.contains(&text(i))) {
            return item.span;
        }
        let fresh = |items: &[&ClauseItem], old: &HashSet<String>| {
            let item = items.iter().find(|i| !old.contains(&text(i)));
            item.map(|i| i.span)
        };
        let other = fresh(resources, &before.resources);
        if let Some(span) = other.or_else(|| fresh(principals, &before.principals)) {
            return span;
        }
        if let Some(c) = s.conditions.iter().find(|c| !before.conditions.contains(&line(c))) {
            return self.fresh_value(c).map_or(c.span, |v| v.span);
        }
        let clause = |c: &Clause| c.key;
        let whole = || s.action.as_ref().map_or(s.span, clause);
        granting.map_or_else(whole, |i| i.span)
    }

    /// Of a list of values of which the other document has some: the one that it does not have. One that the request has comes
    /// first.
    fn fresh_value<'s>(&self, c: &'s Condition) -> Option<&'s ClauseItem> {
        let is_old = |v: &&ClauseItem| self.before.values.contains(&(head(c), v.display()));
        if c.parsed.is_none_or(|o| o.negated) || !c.values.iter().any(|v| is_old(&v)) {
            return None;
        }
        let of_request = self.gain.request.context.get(&c.lower_key);
        let is_asked = |v: &ClauseItem| {
            let glob = v.text.known().map(|t| TextGlob::plain(&t));
            let mut values = of_request.into_iter().flat_map(WitnessValue::values);
            values.any(|value| glob.as_ref().is_some_and(|g| g.matches(value)))
        };
        let fresh = || c.values.iter().filter(|v| !is_old(v));
        fresh().find(|v| is_asked(v)).or_else(|| fresh().next())
    }

    /// The item of `Action` by which the request is allowed.
    fn granting_action<'s>(&self, s: &'s Statement) -> Option<&'s ClauseItem> {
        let clause = s.action.as_ref().filter(|c| !c.negated)?;
        let reading = Reading {
            wildcards: true,
            any_case: true,
            ..Reading::default()
        };
        let mut symbols = Symbols::default();
        symbols.fillings.clone_from(&self.gain.values);
        clause.items.iter().find(|i| {
            let glob = TextGlob::read(&i.text, reading, &mut symbols);
            glob.is_ok_and(|g| g.matches(&self.gain.request.action))
        })
    }
}

/// Whether something may be in both patterns.
fn overlap(a: &str, b: &str) -> bool {
    let globs = [TextGlob::plain(a), TextGlob::plain(b)];
    let of = |globs| Constraint { globs, inside: true };
    member(&[of(&globs[..1]), of(&globs[1..])], &[]) != FoundText::Empty
}

/// Resources of Deny statements, where these are few.
fn denied_resources(document: &Document, values: &Values) -> Vec<TextGlob> {
    let denials = document.statements.iter().filter(|s| s.is_written_as_deny());
    let clauses = denials.filter_map(|s| s.resource.as_ref()).filter(|c| !c.negated);
    let items = clauses
        .flat_map(|c| &c.items)
        .filter(|i| !is_star(&i.text))
        .take(MAX_DENIED);
    items
        .filter_map(|i| resource_glob(i, values, BTreeMap::new()))
        .collect()
}

fn resource_glob(item: &ClauseItem, values: &Values, context: BTreeMap<String, String>) -> Option<TextGlob> {
    let mut symbols = Symbols::default();
    symbols.request = Some(context);
    symbols.fillings.clone_from(values);
    let reading = Reading {
        wildcards: true,
        variables: true,
        fields: Fields::Resource,
        ..Reading::default()
    };
    TextGlob::read(&item.text, reading, &mut symbols).ok()
}

fn line(c: &Condition) -> String {
    let values: Vec<String> = c.values.iter().map(ClauseItem::display).collect();
    format!("{} {}", head(c), values.join("\n"))
}

/// Its operator and key.
fn head(c: &Condition) -> String {
    format!("{} {}", c.operator.display().to_lowercase(), c.lower_key)
}
