//! Where an expression is evaluated: which file's tree, inside which loops, under which conditions.

use crate::source::{Span, Text};
use crate::syntax::Tree;
use crate::value::Value;

/// How deep expressions are followed; real templates stay under 30.
const MAX_DEPTH: u32 = 96;
/// Longer than any name between braces can be.
pub(crate) const MAX_NAME: usize = 512;

/// The surroundings of a node. Copied freely; loops and conditions are lists on the stack.
#[derive(Clone, Copy)]
pub(crate) struct TemplateScope<'e> {
    pub(crate) tree: &'e Tree,
    bound: Option<&'e LoopBinding<'e>>,
    assumed: Option<&'e Assumed<'e>>,
    /// What brought this file in.
    included: Option<Span>,
    /// Only what is certain counts: parameters' defaults do not.
    pub(crate) certain: bool,
    depth: u32,
}

/// A loop's identifier and its value in this round.
pub(crate) struct LoopBinding<'e> {
    name: &'e str,
    value: &'e Value,
    outer: Option<&'e Self>,
}

/// A condition that holds, or does not, in this branch.
pub(crate) struct Assumed<'e> {
    name: &'e str,
    holds: bool,
    outer: Option<&'e Self>,
}

impl<'e> TemplateScope<'e> {
    pub(crate) fn new(tree: &'e Tree) -> Self {
        Self {
            tree,
            bound: None,
            assumed: None,
            included: None,
            certain: false,
            depth: 0,
        }
    }

    /// One level further in; `None` past the bound.
    pub(crate) fn nested(self) -> Option<Self> {
        (self.depth < MAX_DEPTH).then_some(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    /// The same place in another file.
    pub(crate) fn in_file<'t>(self, tree: &'t Tree) -> TemplateScope<'t>
    where
        'e: 't,
    {
        TemplateScope { tree, ..self }
    }

    /// The same place in a file that is included at `at`.
    pub(crate) fn including<'t>(self, tree: &'t Tree, at: Span) -> TemplateScope<'t>
    where
        'e: 't,
    {
        TemplateScope {
            included: Some(at),
            ..self.in_file(tree)
        }
    }

    /// A value of this place as the including file sees it.
    pub(crate) fn seen_by_includer(&self, value: Value) -> Value {
        match self.included {
            Some(at) => value.used_at(at),
            None => value,
        }
    }

    pub(crate) fn certain(self) -> Self {
        Self { certain: true, ..self }
    }

    pub(crate) fn bind(self, name: &'e str, value: &'e Value) -> LoopBinding<'e> {
        LoopBinding {
            name,
            value,
            outer: self.bound,
        }
    }

    pub(crate) fn with_bound<'t>(self, bound: &'t LoopBinding<'t>) -> TemplateScope<'t>
    where
        'e: 't,
    {
        TemplateScope {
            bound: Some(bound),
            ..self
        }
    }

    pub(crate) fn assume(self, name: &'e str, holds: bool) -> Assumed<'e> {
        Assumed {
            name,
            holds,
            outer: self.assumed,
        }
    }

    pub(crate) fn with_assumed<'t>(self, assumed: &'t Assumed<'t>) -> TemplateScope<'t>
    where
        'e: 't,
    {
        TemplateScope {
            assumed: Some(assumed),
            ..self
        }
    }

    /// What this branch takes for granted: conditions and whether they hold, innermost first.
    pub(crate) fn assumptions(&self) -> impl Iterator<Item = (&'e str, bool)> + use<'e> {
        std::iter::successors(self.assumed, |a| a.outer).map(|a| (a.name, a.holds))
    }

    /// The value of a loop's identifier.
    pub(crate) fn identifier(&self, name: &str) -> Option<&'e Value> {
        let mut at = self.bound;
        while let Some(b) = at {
            if b.name == name {
                return Some(b.value);
            }
            at = b.outer;
        }
        None
    }

    pub(crate) fn in_loop(&self) -> bool {
        self.bound.is_some()
    }

    /// Not inside a loop or an include of the template `tree`.
    pub(crate) fn is_bare(&self, tree: &Tree) -> bool {
        !self.in_loop() && self.tree.file == tree.file
    }

    /// `text` with `${Identifier}` and `&{Identifier}` of the loops around it filled in.
    /// CloudFormation Template Reference, "Fn::ForEach".
    pub(crate) fn fill_identifiers(&self, text: &Text) -> Text {
        if !self.in_loop() {
            return text.clone();
        }
        let flat = text.with_placeholders();
        let mut out = Text::default();
        let (mut done, mut from) = (0, 0);
        while let Some(brace) = flat.get(from..).and_then(|rest| rest.find('{')).map(|i| from + i) {
            from = brace + 1;
            let Some(open) = brace.checked_sub(1) else { continue };
            let window = &flat.as_bytes()[brace..flat.len().min(brace + MAX_NAME)];
            let Some(close) = memchr::memchr(b'}', window).map(|i| brace + i) else {
                continue;
            };
            let value = match flat.as_bytes()[open] {
                b'$' | b'&' => self.identifier(&flat[brace + 1..close]),
                _ => None,
            };
            let Some(value) = value else { continue };
            let Some(at) = text.span_of(open..close + 1) else {
                continue;
            };
            out.append(&text.slice(done..open));
            let part = crate::formats::cloudformation::eval::text::part(value, at, at);
            let stripped = flat.as_bytes()[open] == b'&';
            match part.first().and_then(|p| p.text.known()) {
                Some(known) if stripped => {
                    let plain: String = known.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
                    out.append(&Text::synthetic(&plain, at));
                }
                _ => part
                    .first()
                    .into_iter()
                    .for_each(|p| out.append(&crate::formats::cloudformation::eval::text::at_span(&p.text, at))),
            }
            done = close + 1;
            from = done;
        }
        if done == 0 {
            return text.clone();
        }
        out.append(&text.slice(done..flat.len()));
        out
    }
}
