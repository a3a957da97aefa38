//! The intrinsic functions. CloudFormation Template Reference, "Intrinsic function reference".

use crate::iam::Truth;
use crate::source::{Hole, HoleKind, Span, Text};
use crate::syntax::{NodeId, NodeKind as Node};
use crate::value::guard::{Fact, possible_worlds};
use crate::value::{Branch, Guard, Value, ValueKind};

use crate::formats::text_templates::with_brace_holes;

use crate::formats::cloudformation::eval::env::{MAX_NAME, TemplateScope};
use crate::formats::cloudformation::eval::template::Template;
use crate::formats::cloudformation::eval::text;
use crate::formats::cloudformation::eval::text::TemplatePart;

/// How many alternatives an unknown look-up in a mapping may have; beyond that it is unknown.
const MAX_LOOKUP: usize = 8;
/// How many branches nested conditionals may have together.
const MAX_BRANCHES: usize = 16;

/// What stands in the place of an attribute for parts of an ARN: between its colons, the sixth of these, and between its slashes.
const PARTS_OF_ARN: &str = "Arn:";
const NAME_IN_ARN: &str = "Arn:5";
const PARTS_OF_NAME: &str = "Arn:5/";

impl Template<'_> {
    /// The function `name` (without `Fn::`) of `argument`; `span` is the whole expression.
    pub(crate) fn call(&self, env: TemplateScope<'_>, name: &str, argument: NodeId, span: Span) -> Option<Value> {
        Some(match name {
            "Ref" => return self.reference(env, &self.name(env, argument)?, span),
            "GetAtt" => self.attribute(env, argument, span),
            "Sub" => self.sub(env, argument, span),
            "Join" => self.join(env, argument, span),
            "If" => return self.conditional(env, argument, span),
            "FindInMap" => return self.find_in_map(env, argument, span),
            "Select" => self.select(env, argument, span),
            "Split" => self.split(env, argument, span),
            "ImportValue" => self.import(env, argument, span),
            "Transform" => return self.included(env, argument, &mut |env, root| self.value(env, root)),
            // The text that it encodes: no one reads, or writes, the encoded form.
            "Base64" => return self.value(env, argument),
            "Cidr" => self.cidr(env, argument, span),
            "ToJsonString" => Value::json(self.value(env, argument)?, span),
            "Length" => match self.value(env, argument)?.kind {
                ValueKind::Seq(items) if !items.iter().any(is_open_ended) => {
                    Value::new(ValueKind::Num(items.len().to_string().into()), span)
                }
                _ => Value::unknown_other("Fn::Length", span),
            },
            "Equals" | "And" | "Or" | "Not" | "Condition" => match self.truth_of(env, name, argument, 0) {
                Truth::Unknown => Value::unknown_other(format!("Fn::{name}"), span),
                known => Value::new(ValueKind::Bool(known == Truth::Yes), span),
            },
            "Rain::Embed" => self.embedded_file(env, argument, span),
            "GetAZs" => Value::unknown(Hole::new(HoleKind::Lookup, "Fn::GetAZs", span)),
            // What a macro or a later release brings.
            other => Value::unknown_other(format!("Fn::{other}"), span),
        })
    }

    /// The text of a file next to the template, which Rain puts there before the template is deployed. AWS CloudFormation Rain,
    /// "Directives".
    fn embedded_file(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Value {
        let named = self
            .name(env, argument)
            .and_then(|name| self.local_path(env.tree, &name));
        let Some(path) = named else {
            return Value::unknown_other("Rain::Embed", span);
        };
        let Some(file) = self.world.sources.find(&path) else {
            let unknown = Value::unknown_other(format!("Rain::Embed {path}"), span);
            self.request_file(path);
            return unknown;
        };
        let text = self.world.sources.text(file);
        let whole = Span::new(file, 0, text.len());
        Value::text(Text::verbatim(text, file, 0), whole).used_at(span)
    }

    /// `Ref`: a loop's identifier, a pseudo parameter, a parameter, or a resource.
    pub(crate) fn reference(&self, env: TemplateScope<'_>, name: &str, span: Span) -> Option<Value> {
        if let Some(bound) = env.identifier(name) {
            return Some(bound.clone().used_at(span));
        }
        if name == "AWS::NoValue" {
            return None;
        }
        if let Some(kind) = text::pseudo(name) {
            let hole = Hole::new(kind, name, span);
            return Some(if name == "AWS::NotificationARNs" {
                Value::unknown(hole)
            } else {
                Value::text(Text::hole(hole), span)
            });
        }
        if let Some(parameter) = self.parameters.get(name) {
            let value = if env.certain {
                &parameter.certain
            } else {
                &parameter.value
            };
            let known = parameter.known && !(env.certain && parameter.certain != parameter.value);
            let replaced = known && self.excludes_value(env, name, value);
            if replaced && let Some(equal) = self.assumed_equal(env, name) {
                return Some(Value::synthetic(&equal, span));
            }
            let value = if replaced { &parameter.certain } else { value };
            if known && !replaced {
                return Some(value.clone().used_at(span));
            }
            // A hole stands where it is used.
            return Some(match &value.kind {
                ValueKind::Unknown(hole) => Value::unknown(Hole {
                    span,
                    ..(**hole).clone()
                }),
                ValueKind::Str(hole) => Value::text(text::at_span(hole, span), span),
                _ => value.clone(),
            });
        }
        let (address, attribute) = name.split_once('.').unwrap_or((name, ""));
        let mut hole = Hole::new(HoleKind::Other, name, span);
        if self.declares(address) {
            hole.kind = HoleKind::Resource;
            hole = hole.to(self.target(address, attribute));
        }
        Some(Value::text(Text::hole(hole), span))
    }

    /// Written here, or made by the SAM translator (`FunctionRole`, `ServerlessRestApi`), which alone has such names.
    fn declares(&self, address: &str) -> bool {
        self.resources.contains_key(address) || (self.doc.open && !address.is_empty())
    }

    /// `GetAtt` as `Id.Attribute` or `[Id, Attribute]`.
    fn attribute(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Value {
        let parts: Vec<String> = match env.tree.kind(argument) {
            Node::Seq => {
                let children = env.tree.children(argument);
                children.filter_map(|part| self.name(env, part)).collect()
            }
            _ => self.name(env, argument).into_iter().collect(),
        };
        self.attribute_of(&parts.join("."), span)
    }

    /// `Id.Attribute`, whichever way it is written.
    fn attribute_of(&self, name: &str, span: Span) -> Value {
        let (address, attribute) = name.split_once('.').unwrap_or((name, ""));
        if let Some(output) = attribute.strip_prefix("Outputs.")
            && let Some(value) = self.child(address).and_then(|child| child.output(output))
        {
            return value.used_at(span);
        }
        let mut hole = Hole::new(HoleKind::Other, name, span);
        if self.declares(address) {
            hole.kind = HoleKind::Resource;
            hole = hole.to(self.target(address, attribute));
        }
        Value::text(Text::hole(hole), span)
    }

    /// The value of an output.
    fn output(&self, name: &str) -> Option<Value> {
        let tree = &self.doc.tree;
        let output = tree.get(self.doc.section("Outputs")?, name)?;
        self.value(self.env(), tree.get(output, "Value")?)
    }

    /// `Sub` with a string, or with `[string, {Name: value}]`.
    fn sub(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Value {
        let tree = env.tree;
        let (template, names) = match tree.kind(argument) {
            Node::Seq => {
                let mut parts = tree.children(argument);
                (parts.next(), parts.next())
            }
            _ => (Some(argument), None),
        };
        let Some((text, at)) = template.and_then(|t| Some((tree.text(t)?, tree.span(t)))) else {
            return Value::unknown_other("Fn::Sub", span);
        };
        let names = names.and_then(|n| self.value(env, n));
        let filled = self.world.variables.and_then(|v| v.resolve(self, env, text, at));
        let text = filled.as_ref().and_then(Value::as_text).unwrap_or(text);
        self.substitute(env, text, at, names.as_ref())
    }

    /// The text with `${Name}`, `${Id.Attribute}` and `${AWS::…}` filled in and `${!Literal}` as `${Literal}`.
    fn substitute(&self, env: TemplateScope<'_>, text: &Text, span: Span, names: Option<&Value>) -> Value {
        let flat = text.with_placeholders();
        let mut parts: Vec<TemplatePart> = Vec::new();
        let literal = |parts: &mut Vec<TemplatePart>, from: usize, to: usize| {
            if from < to {
                parts.push(text::fixed(text.slice(from..to)));
            }
        };
        let (mut done, mut from) = (0, 0);
        while let Some(open) = flat.get(from..).and_then(|rest| rest.find("${")).map(|i| from + i) {
            from = open + 2;
            let window = &flat.as_bytes()[from..flat.len().min(from + MAX_NAME)];
            let Some(close) = memchr::memchr(b'}', window).map(|i| from + i) else {
                continue;
            };
            let Some(name) = flat.get(from..close) else { continue };
            if name.starts_with('!') {
                literal(&mut parts, done, from);
                done = from + 1;
                continue;
            }
            let at = text.span_of(open..close + 1).unwrap_or(span);
            if !self.spend_nodes(1) {
                break;
            }
            literal(&mut parts, done, open);
            parts.push(self.named_part(env, name.trim(), names, at, span));
            done = close + 1;
            from = done;
        }
        if parts.is_empty() {
            let text = env.fill_identifiers(text);
            return Value::text(with_brace_holes(text), span);
        }
        literal(&mut parts, done, flat.len());
        text::concat(&parts, span)
    }

    fn named_part(
        &self,
        env: TemplateScope<'_>,
        name: &str,
        names: Option<&Value>,
        at: Span,
        home: Span,
    ) -> TemplatePart {
        let value = match names.and_then(|n| n.get(name)) {
            // Written in the list form's map: the template's text has the reference only.
            Some(value) => Some(value.clone().used_at(at)),
            None if name.contains('.') && env.identifier(name).is_none() => Some(self.attribute_of(name, at)),
            None => self.reference(env, name, at),
        };
        let Some(value) = value else {
            return text::fixed(Text::default());
        };
        self.spend_nodes(value.as_text().map_or(1, Text::len) / 16);
        text::part(&value, at, home)
    }

    /// `Join` of a delimiter and a list, or anything that amounts to one.
    fn join(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Value {
        let mut parts = env.tree.children(argument);
        let (Some(delimiter), Some(list)) = (parts.next(), parts.next()) else {
            return Value::unknown_other("Fn::Join", span);
        };
        let delimiter = self.value(env, delimiter).and_then(|d| d.as_text().cloned());
        let list = self.value(env, list);
        let whole = list.as_ref().and_then(|l| l.via.as_ref()).map_or(span, |via| via.span);
        let Some(items) = list.as_ref().and_then(Value::as_seq) else {
            let name = list.as_ref().and_then(Value::as_hole).map_or("Fn::Join", |h| &h.name);
            return Value::text(text::hole(HoleKind::Other, name, span), span);
        };
        let mut parts: Vec<TemplatePart> = Vec::new();
        for item in items {
            let at = if span.contains(item.span) && item.via.is_none() {
                item.span
            } else {
                item.via.as_ref().map_or(whole, |via| via.span)
            };
            if !self.spend_nodes(1 + item.as_text().map_or(1, Text::len) / 16) {
                break;
            }
            let between = !parts.is_empty();
            let mut part = text::part(item, at, span);
            if between && let Some(delimiter) = &delimiter {
                // The delimiter is written once, before all items; in the text it belongs to the item it precedes.
                for alternative in &mut part {
                    let mut text = text::at_span(delimiter, at);
                    text.append(&alternative.text);
                    alternative.text = text;
                }
            }
            // An item that one branch drops takes its delimiter with it.
            if let ValueKind::OneOf(branches) = &item.kind
                && let [only] = &branches[..]
                && let [one] = &mut part[..]
            {
                one.when = only.when.clone();
                part.push(text::Alternative {
                    when: only.when.negated(),
                    text: Text::default(),
                });
            }
            parts.push(part);
        }
        text::concat(&parts, span)
    }

    /// `If`: both branches, or the one that is certain.
    fn conditional(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Option<Value> {
        let mut parts = env.tree.children(argument);
        let (Some(condition), Some(then)) = (parts.next(), parts.next()) else {
            return Some(Value::unknown_other("Fn::If", span));
        };
        let otherwise = parts.next();
        let name = self.condition_name(env, condition)?;
        let branch = |holds: bool, node: Option<NodeId>| {
            let assumed = env.assume(&name, holds);
            self.value(env.with_assumed(&assumed), node?)
        };
        match self.is_met(env, &name) {
            Truth::Yes => return branch(true, Some(then)),
            Truth::No => return branch(false, otherwise),
            Truth::Unknown => {}
        }
        let mut branches: Vec<Branch> = Vec::new();
        for (value, holds) in [(branch(true, Some(then)), true), (branch(false, otherwise), false)] {
            let when = self.guard(&name, holds);
            if let Some(value) = value {
                branches.extend(Branch { when, value }.flatten());
            }
        }
        if branches.is_empty() {
            return None;
        }
        if branches.len() > MAX_BRANCHES {
            return Some(Value::unknown_other("Fn::If", span));
        }
        Some(Value::new(ValueKind::OneOf(branches.into()), span))
    }

    /// `FindInMap` of `[map, top, second]`, or with `{DefaultValue: …}` as a fourth item. A key that is not known before
    /// deployment (a region) gives all alternatives, as long as they are few.
    fn find_in_map(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Option<Value> {
        // A key that is one of several is looked up for each.
        let keys: Vec<Value> = env
            .tree
            .children(argument)
            .skip(1)
            .take(2)
            .filter_map(|key| self.value(env, key))
            .filter(|key| matches!(key.kind, ValueKind::OneOf(_)))
            .collect();
        let worlds = possible_worlds(&keys).unwrap_or_default();
        if worlds.len() < 2 {
            return self.find_in_map_under(env, argument, &Guard::default(), span);
        }
        let branches: Vec<Branch> = worlds
            .into_iter()
            .filter_map(|when| {
                let value = self.find_in_map_under(env, argument, &when, span)?;
                Some(Branch { when, value })
            })
            .flat_map(Branch::flatten)
            .collect();
        Some(match branches.len() {
            1..=MAX_BRANCHES => Value::new(ValueKind::OneOf(branches.into()), span),
            _ => Value::unknown_other("Fn::FindInMap", span),
        })
    }

    /// [`Self::find_in_map`] with the keys as they are in a world.
    fn find_in_map_under(&self, env: TemplateScope<'_>, argument: NodeId, world: &Guard, span: Span) -> Option<Value> {
        let tree = env.tree;
        let mut parts = tree.children(argument);
        let (Some(map), Some(top), Some(second)) = (parts.next(), parts.next(), parts.next()) else {
            return Some(Value::unknown_other("Fn::FindInMap", span));
        };
        let default = parts.next().and_then(|options| tree.get(options, "DefaultValue"));
        let key = |node| {
            let value = self.value(env, node)?.decide(world)?;
            match &value.kind {
                ValueKind::Num(n) => Some(n.to_string()),
                _ => Some(value.as_str()?.into_owned()),
            }
        };
        let Some(&map) = key(map).as_ref().and_then(|name| self.mappings.get(name)) else {
            return Some(match default {
                Some(default) => self.value(env, default)?,
                None => Value::unknown_other("Fn::FindInMap", span),
            });
        };
        let subjects = [top, second].map(|node| self.subject(env, node));
        let (top, second) = (key(top), key(second));
        let own: &crate::syntax::Tree = &self.doc.tree;
        let matches = |wanted: &Option<String>, node: NodeId| -> bool {
            let name = own.text(node).and_then(Text::known);
            wanted.is_none() || name.as_deref() == wanted.as_deref()
        };
        let mut found: Vec<(Guard, NodeId)> = Vec::new();
        let mut other: Vec<Fact> = Vec::new();
        for (top_key, entries) in own.entries(map).filter(|(k, _)| matches(&top, *k)) {
            for (second_key, node) in own.entries(entries).filter(|(k, _)| matches(&second, *k)) {
                let unknown = [(&top, top_key), (&second, second_key)];
                let (label, facts): (Vec<String>, Vec<Fact>) = unknown
                    .iter()
                    .zip(&subjects)
                    .filter(|((wanted, _), _)| wanted.is_none())
                    .filter_map(|((_, k), subject)| {
                        let key = own.text(*k)?.display();
                        let fact = Fact::key(subject, &key);
                        Some((key, fact))
                    })
                    .unzip();
                if let [fact] = facts.as_slice() {
                    other.push(fact.negated());
                }
                found.push((Guard::new(&format!("for {}", label.join(".")), facts), node));
                if found.len() > MAX_LOOKUP {
                    return Some(Value::text(text::hole(HoleKind::Other, "Fn::FindInMap", span), span));
                }
            }
        }
        let home = self.env();
        let value = |node| self.value(home, node).map(|v| v.used_at(span));
        match found.as_slice() {
            [] => match default {
                Some(default) => self.value(env, default),
                None => Some(Value::unknown_other("Fn::FindInMap", span)),
            },
            [(_, only)] if top.is_some() && second.is_some() => value(*only),
            several => {
                let branch = |when: &Guard, value| Branch {
                    when: when.clone(),
                    value,
                };
                let mut branches: Vec<Branch> = several
                    .iter()
                    .filter_map(|(when, node)| Some(branch(when, value(*node)?)))
                    .collect();
                if let Some(default) = default.and_then(|d| self.value(env, d)) {
                    let label = "for a key that the mapping does not have";
                    branches.push(branch(&Guard::new(label, other), default));
                }
                Some(Value::new(ValueKind::OneOf(branches.into()), span))
            }
        }
    }

    fn select(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Value {
        let mut parts = env.tree.children(argument);
        let (Some(index), Some(list)) = (parts.next(), parts.next()) else {
            return Value::unknown_other("Fn::Select", span);
        };
        let index = self.value(env, index).and_then(|v| v.as_number());
        let list = self.value(env, list);
        let index = index.filter(|i| *i >= 0.0).map(|i| i as usize);
        if let Some(ValueKind::Seq(items)) = list.as_ref().map(|l| &l.kind)
            && let Some(index) = index
            && !items.iter().take(index).any(is_open_ended)
            && let Some(item) = items.get(index)
        {
            return match &list {
                Some(l) if l.via.is_some() && item.via.is_none() => item.clone().used_at(span),
                _ => item.clone(),
            };
        }
        let hole = list.as_ref().and_then(Value::as_hole);
        if let Some(part) = hole.and_then(|hole| self.part_of_arn(env, hole, index?, span)) {
            return part;
        }
        let kind = hole.map_or(HoleKind::Other, part_kind);
        let name = hole.map_or_else(|| "Fn::Select".to_owned(), |h| h.name.to_string());
        Value::text(text::hole(kind, &name, span), span)
    }

    /// A part of what an ARN, or the end of one, is split into: `role/Name`, and the name, which is what `Ref` gives. The CDK writes
    /// the name of a role so that it has the ARN of.
    fn part_of_arn(&self, env: TemplateScope<'_>, parts: &Hole, index: usize, span: Span) -> Option<Value> {
        let of = parts.target.as_ref()?;
        match (&*of.attribute, index) {
            (PARTS_OF_ARN, 5) => {
                let end = Hole::new(part_kind(parts), parts.name.clone(), span);
                Some(Value::text(
                    Text::hole(end.to(self.target(&of.address, NAME_IN_ARN))),
                    span,
                ))
            }
            (PARTS_OF_NAME, 1) => self.reference(env, &of.address, span),
            _ => None,
        }
    }

    fn split(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Value {
        let mut parts = env.tree.children(argument);
        let (Some(delimiter), Some(source)) = (parts.next(), parts.next()) else {
            return Value::unknown_other("Fn::Split", span);
        };
        let delimiter = self
            .value(env, delimiter)
            .and_then(|d| Some(d.as_str()?.into_owned()))
            .filter(|d| !d.is_empty());
        let Some(source) = self.value(env, source) else {
            return Value::seq(Vec::new(), span);
        };
        let (Some(delimiter), Some(text)) = (delimiter, source.as_text()) else {
            return Value::unknown_other("Fn::Split", span);
        };
        // The parts of an ARN hold no delimiter; anything else may.
        let whole = |h: &Hole| matches!(h.kind, HoleKind::Account | HoleKind::Partition | HoleKind::Region);
        if let Some(hole) = text.holes().find(|h| !whole(h)) {
            let parts = Hole::new(part_kind(hole), hole.name.clone(), span);
            return Value::unknown(
                match (text.as_hole().and_then(|h| h.target.as_ref()), delimiter.as_str()) {
                    (Some(of), ":") if &*of.attribute == "Arn" => parts.to(self.target(&of.address, PARTS_OF_ARN)),
                    (Some(of), "/") if &*of.attribute == NAME_IN_ARN => {
                        parts.to(self.target(&of.address, PARTS_OF_NAME))
                    }
                    _ => parts,
                },
            );
        }
        let flat = text.with_placeholders();
        let mut items = Vec::new();
        let mut at = 0;
        for piece in flat.split(delimiter.as_str()) {
            if !self.spend_nodes(1) {
                return Value::unknown_other("too large", span);
            }
            let part = text.slice(at..at + piece.len());
            let place = part.span_of(0..part.len()).unwrap_or(source.span);
            items.push(Value {
                via: source.via.clone(),
                ..Value::text(part, place)
            });
            at += piece.len() + delimiter.len();
        }
        Value::seq(items, span)
    }

    /// `ImportValue`: what a template of the repository exports under this name.
    fn import(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Value {
        let text = |env| self.value(env, argument).and_then(|n| n.as_text().cloned());
        let name = text(env);
        let Some(name) = name else {
            return Value::text(text::hole(HoleKind::Outside, "Fn::ImportValue", span), span);
        };
        match self.world.exported(&name, text(env.certain()).as_ref()) {
            Some(value) => value.clone().used_at(span),
            None => Value::text(text::hole(HoleKind::Outside, &name.display(), span), span),
        }
    }
}

/// What a part of an unknown text or list is.
fn part_kind(whole: &Hole) -> HoleKind {
    if whole.kind.is_placeholder() {
        HoleKind::Existing
    } else {
        whole.kind
    }
}

/// May stand for any number of items.
fn is_open_ended(item: &Value) -> bool {
    match &item.kind {
        ValueKind::Unknown(_) => true,
        ValueKind::OneOf(branches) => branches.len() < 2,
        _ => false,
    }
}
