//! Tests of the values of properties, by their paths.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::items::{TestedItem, combine};
use super::{Captured, CapturedElement, Captures, Eval};
use crate::iam::Truth;
use crate::iam::glob::{self, CaseSensitivity};
use crate::model::Resource;
use crate::rules::spec::ValueTest;
use crate::source::{Span, Text};
use crate::value::{Value, ValueKind};

/// How deep `**` looks.
const MAX_DEPTH: usize = 8;

/// A value at a path, with the key of the entry that holds it.
#[derive(Clone, Copy)]
struct PropertyValue<'a> {
    value: &'a Value,
    key: Option<(&'a Text, Span)>,
}

/// What stands at a path.
#[derive(Default)]
struct Reached<'a> {
    found: Vec<PropertyValue<'a>>,
    /// A part of the way is not known: more may be there.
    hidden: bool,
}

/// Follows a path: `A.B`, `A|B` for the first that is there, `A[]` for each item, `**` for every value below.
fn follow_path<'a>(value: &'a Value, path: &str) -> Reached<'a> {
    let mut reached = Reached {
        found: vec![PropertyValue { value, key: None }],
        hidden: false,
    };
    for part in path.split('.') {
        let from = std::mem::take(&mut reached.found);
        for p in from {
            let value = p.value.decoded();
            if part == "**" {
                values_below(p, 0, &mut reached.found);
                continue;
            }
            let open = value.entries().is_some_and(|all| all.iter().any(|e| !e.key.is_known()));
            reached.hidden |= open || value.is_unknown() || matches!(value.kind, ValueKind::OneOf(_));
            let (names, each) = part.strip_suffix("[]").map_or((part, false), |names| (names, true));
            let entry = names
                .split('|')
                .find_map(|name| value.entry(name).filter(|e| !e.value.is_null()));
            let Some(entry) = entry else { continue };
            let key = Some((&entry.key, entry.key_span));
            match each {
                true => {
                    let items = entry.value.decoded().items();
                    reached
                        .found
                        .extend(items.iter().map(|value| PropertyValue { value, key }));
                }
                false => reached.found.push(PropertyValue {
                    value: &entry.value,
                    key,
                }),
            }
        }
    }
    reached
}

/// Every single value below one.
fn values_below<'a>(p: PropertyValue<'a>, depth: usize, out: &mut Vec<PropertyValue<'a>>) {
    match &p.value.kind {
        _ if depth > MAX_DEPTH => {}
        ValueKind::Map(entries) => entries.iter().for_each(|e| {
            let key = Some((&e.key, e.key_span));
            values_below(PropertyValue { value: &e.value, key }, depth + 1, out);
        }),
        ValueKind::Seq(items) => {
            (items.iter()).for_each(|value| values_below(PropertyValue { value, ..p }, depth + 1, out))
        }
        ValueKind::Null => {}
        _ => out.push(p),
    }
}

impl<'a> Eval<'_, 'a> {
    pub(super) fn properties(
        &self,
        tests: &BTreeMap<String, ValueTest>,
        r: &'a Resource,
        found: &mut Captures<'a>,
    ) -> Truth {
        let mut truth = Truth::Yes;
        for (path, test) in tests {
            let reached = follow_path(&r.props, path);
            truth = truth.and(self.any_value(test, &reached, r, found));
            if truth.is_no() {
                break;
            }
        }
        truth
    }

    /// The test holds of one of the values. Each of which it holds is captured.
    fn any_value(&self, t: &ValueTest, reached: &Reached<'a>, r: &'a Resource, found: &mut Captures<'a>) -> Truth {
        if reached.found.is_empty() {
            return self.value(t, None, reached.hidden, r, found);
        }
        let each = reached.found.iter().map(|p| self.value(t, Some(*p), false, r, found));
        each.fold(Truth::No, Truth::or)
    }

    /// Tags by their key: a list of keys and values, or a map.
    pub(super) fn tags(&self, tests: &BTreeMap<String, ValueTest>, r: &'a Resource, found: &mut Captures<'a>) -> Truth {
        let mut truth = Truth::Yes;
        let tags = ["Tags", "TagSet"].iter().find_map(|p| r.get(p));
        for (name, test) in tests {
            let known = |v: &Value| v.as_str().is_some_and(|k| k == name.as_str());
            let mut reached = Reached::default();
            match tags.map(|v| (&v.kind, v)) {
                None => {}
                Some((ValueKind::Map(entries), v)) => {
                    reached.hidden = entries.iter().any(|e| !e.key.is_known());
                    reached.found.extend(v.entry(name).map(|e| PropertyValue {
                        value: &e.value,
                        key: Some((&e.key, e.key_span)),
                    }));
                }
                Some((_, v)) => {
                    for tag in v.items() {
                        match tag.get("Key") {
                            Some(key) if known(key) => {
                                reached.found.extend(tag.entry("Value").map(|e| PropertyValue {
                                    value: &e.value,
                                    key: Some((&e.key, e.key_span)),
                                }))
                            }
                            Some(key) => reached.hidden |= key.as_str().is_none(),
                            None => reached.hidden = true,
                        }
                    }
                }
            }
            truth = truth.and(self.any_value(test, &reached, r, found));
        }
        truth
    }

    /// `at` is `None` where the property is absent, or where it cannot be seen.
    fn value(
        &self,
        t: &ValueTest,
        at: Option<PropertyValue<'a>>,
        hidden: bool,
        r: &'a Resource,
        found: &mut Captures<'a>,
    ) -> Truth {
        let mut own = Captures::default();
        let mut truth = self.test_value(t, at, hidden, r, &mut own);
        truth = combine(truth, &t.all, &t.any, &[], None, |inner| {
            self.value(inner, at, hidden, r, &mut own)
        });
        let none = t.none.iter().chain(t.not.as_deref());
        let none = none
            .map(|inner| self.value(inner, at, hidden, r, &mut Captures::default()))
            .fold(Truth::No, Truth::or);
        let truth = truth.and(!none);
        if truth.is_yes() {
            found.0.append(&mut own.0);
        }
        truth
    }

    fn test_value(
        &self,
        t: &ValueTest,
        at: Option<PropertyValue<'a>>,
        hidden: bool,
        r: &'a Resource,
        found: &mut Captures<'a>,
    ) -> Truth {
        let Some(at) = at.filter(|p| !p.value.is_null()) else {
            let absent = Truth::from(t.present != Some(true) && !t.requires_content());
            return if hidden { Truth::Unknown } else { absent };
        };
        let value = at.value;
        if t.present == Some(false) {
            return Truth::No;
        }
        if let ValueKind::OneOf(branches) = &value.kind {
            let mut scratch = Captures::default();
            let mut answers = Vec::new();
            for b in branches.iter() {
                let at = PropertyValue { value: &b.value, ..at };
                answers.push(self.test_value(t, Some(at), false, r, &mut scratch));
            }
            let truth = match answers.as_slice() {
                [first, rest @ ..] if rest.iter().all(|a| a == first) => *first,
                _ => Truth::Unknown,
            };
            if truth.is_yes() {
                found.0.append(&mut scratch.0);
            }
            return truth;
        }
        let truth = self
            .test_form(t, value)
            .and(self.test_text(t, value))
            .and(self.test_references(t, value, r));
        if truth.is_yes() {
            found.add(t.capture.as_ref(), || captured(value, at.key.map(|(key, _)| key)));
            if let Some((key, span)) = at.key {
                found.add(t.key.as_ref(), || Captured {
                    text: Some(Cow::Borrowed(key)),
                    ..Captured::at_span(span)
                });
            }
        }
        truth
    }

    /// Tests of what kind of value it is.
    fn test_form(&self, t: &ValueTest, value: &Value) -> Truth {
        let mut truth = Truth::Yes;
        if let Some(wanted) = t.truthy {
            let is = match &value.kind {
                ValueKind::Unknown(_) => Truth::Unknown,
                ValueKind::Str(text) if !text.is_known() => Truth::Unknown,
                ValueKind::Str(_) => value
                    .as_bool()
                    .unwrap_or_else(|| value.as_str().is_some_and(|s| !s.is_empty()))
                    .into(),
                ValueKind::Bool(b) => (*b).into(),
                ValueKind::Num(n) => (n.parse() != Ok(0.0)).into(),
                ValueKind::Seq(items) => (!items.is_empty()).into(),
                _ => Truth::Yes,
            };
            truth = truth.and(if wanted { is } else { !is });
        }
        if let Some(wanted) = t.known {
            let known = match &value.kind {
                ValueKind::Unknown(_) => false,
                ValueKind::Str(text) => text.is_known(),
                _ => true,
            };
            truth = truth.and((known == wanted).into());
        }
        let holds = |bound: Option<f64>, test: fn(f64, f64) -> bool| match (bound, value.as_number()) {
            (None, _) => Truth::Yes,
            (Some(bound), Some(n)) => test(n, bound).into(),
            (Some(_), None) if value.is_unknown() || value.as_text().is_some_and(|t| !t.is_known()) => Truth::Unknown,
            (Some(_), None) => Truth::No,
        };
        truth
            .and(holds(t.less_than, |n, bound| n < bound))
            .and(holds(t.at_most, |n, bound| n <= bound))
            .and(holds(t.more_than, |n, bound| n > bound))
            .and(holds(t.at_least, |n, bound| n >= bound))
    }

    /// Tests of its text, or of the texts of its items.
    fn test_text(&self, t: &ValueTest, value: &Value) -> Truth {
        let mut truth = Truth::Yes;
        for list in [&t.is, &t.one_of] {
            if !list.is_empty() {
                truth = truth.and(any_item(value, |s| list.iter().any(|w| w.eq_ignore_ascii_case(s))));
            }
        }
        if !t.glob.is_empty() {
            let fits = |s: &str| t.glob.iter().any(|w| glob::matches(w, s, CaseSensitivity::Sensitive));
            truth = truth.and(any_item(value, fits));
        }
        if let Some(regex) = t.matches.as_deref() {
            let regex = self.words.regex(regex);
            truth = truth.and(any_item(value, |s| regex.as_ref().is_some_and(|r| r.is_match(s))));
        }
        if let Some(test) = &t.item {
            truth = truth.and(match value.as_text() {
                Some(text) => self.item(test, TestedItem::text(text, value.span)),
                None if value.is_unknown() => Truth::Unknown,
                None => Truth::No,
            });
        }
        truth
    }

    /// Tests that look at another property or another resource.
    fn test_references(&self, t: &ValueTest, value: &Value, r: &Resource) -> Truth {
        let mut truth = Truth::Yes;
        if let Some(path) = &t.same_as {
            let other = follow_path(&r.props, path);
            truth = truth.and(match other.found.as_slice() {
                [other] => is_same(value, other.value),
                [] if !other.hidden => Truth::No,
                _ => Truth::Unknown,
            });
        }
        if let Some(test) = &t.refers_to {
            truth = truth.and(self.refers_to(test, value));
        }
        truth
    }

    /// Whether a value refers to a resource of the repository of which the test holds.
    fn refers_to(&self, t: &crate::rules::spec::ResourceTest, value: &Value) -> Truth {
        let Some(target) = value.as_hole().and_then(|h| h.target.as_ref()) else {
            let known = value.as_text().is_some_and(Text::is_known);
            return if known { Truth::No } else { Truth::Unknown };
        };
        let project = self.context.project;
        match project.resources_at(target) {
            [] => Truth::Unknown,
            named => named
                .iter()
                .map(|id| self.resource(t, &project.resources[*id], &mut Captures::default()))
                .fold(Truth::No, Truth::or),
        }
    }
}

impl ValueTest {
    /// It asks for something that only a value which is there can be.
    fn requires_content(&self) -> bool {
        !self.is.is_empty()
            || !self.one_of.is_empty()
            || !self.glob.is_empty()
            || self.matches.is_some()
            || self.truthy == Some(true)
            || self.known.is_some()
            || self.item.is_some()
            || self.same_as.is_some()
            || self.refers_to.is_some()
            || [self.less_than, self.at_most, self.more_than, self.at_least]
                .iter()
                .any(Option::is_some)
    }
}

fn captured<'a>(value: &'a Value, key: Option<&'a Text>) -> Captured<'a> {
    let text = match &value.kind {
        ValueKind::Num(n) => Some(Cow::Owned(Text::synthetic(n, value.span))),
        ValueKind::Bool(b) => Some(Cow::Owned(Text::synthetic(
            if *b { "true" } else { "false" },
            value.span,
        ))),
        _ => value.as_text().map(Cow::Borrowed),
    };
    Captured {
        of: CapturedElement::Text,
        text,
        via: Some(&value.via),
        key,
        ..Captured::at_span(value.span)
    }
}

/// The same reference, or the same text.
fn is_same(a: &Value, b: &Value) -> Truth {
    match (a.as_hole(), b.as_hole()) {
        (Some(a), Some(b)) if a.target.is_some() && b.target.is_some() => (a.target == b.target).into(),
        (Some(_), _) | (_, Some(_)) => Truth::Unknown,
        _ => match (a.as_str(), b.as_str()) {
            (Some(a), Some(b)) => (a == b).into(),
            _ => Truth::Unknown,
        },
    }
}

/// Whether one of the value's items, as text, fits.
fn any_item(value: &Value, fits: impl Fn(&str) -> bool) -> Truth {
    let mut truth = Truth::No;
    for item in value.items() {
        truth = truth.or(match (&item.kind, item.as_bool()) {
            (_, Some(b)) => fits(if b { "true" } else { "false" }).into(),
            (ValueKind::Str(text), _) => text.known().map_or(Truth::Unknown, |s| fits(&s).into()),
            (ValueKind::Num(n), _) => fits(n).into(),
            (ValueKind::Unknown(_) | ValueKind::OneOf(_), _) => Truth::Unknown,
            _ => Truth::No,
        });
    }
    truth
}
