//! Actions and resources that say again what stands beside them.

use std::collections::HashMap;

use crate::finding::{Finding, Offered, Remedy};
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::pattern::Pattern;
use crate::iam::size::MOST_ITEMS;
use crate::iam::{Clause, ClauseItem, DocumentOrigin};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written {
            continue;
        }
        if let Some(c) = s.action.as_ref().filter(|c| c.items.len() <= MOST_ITEMS) {
            actions(cx, out, s, c);
        }
        if let Some(c) = s.resource.as_ref().filter(|c| c.items.len() <= MOST_ITEMS) {
            resources(cx, out, s, c);
        }
    }
}

/// The items of one clause, ready to be compared: only a pattern covers what is not equal to it.
struct ComparedItems<'a> {
    /// In the clause's case, with what is written; unknown ones are left out.
    items: Vec<(&'a ClauseItem, String)>,
    /// For each item the first that is equal to it.
    first: Vec<usize>,
    wide: Vec<WildcardItem>,
    case: CaseSensitivity,
}

/// An item with wildcards.
struct WildcardItem {
    /// Its place among the items.
    at: usize,
    /// How many bytes of it stand before anything special: what it covers begins with them.
    head: usize,
    pattern: Pattern,
}

impl<'a> ComparedItems<'a> {
    fn new(clause: &'a Clause, case: CaseSensitivity) -> Self {
        let items: Vec<(&ClauseItem, String)> = clause
            .items
            .iter()
            .filter_map(|i| {
                // An empty text is the arm of a choice in which there is nothing, and part of nothing.
                let text = i.text.known().filter(|text| !text.is_empty())?;
                Some((
                    i,
                    match case {
                        CaseSensitivity::Insensitive => text.to_ascii_lowercase(),
                        CaseSensitivity::Sensitive => text.into_owned(),
                    },
                ))
            })
            .collect();
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(items.len());
        let first = (items.iter().enumerate())
            .map(|(n, (_, text))| *seen.entry(text).or_insert(n))
            .collect();
        let wide = (items.iter().enumerate())
            .filter(|(_, (_, text))| glob::is_pattern(text))
            .map(|(at, (_, text))| WildcardItem {
                at,
                head: text.find(['*', '?', '$']).unwrap_or(text.len()),
                pattern: Pattern::plain(text, case),
            })
            .collect();
        Self {
            items,
            first,
            wide,
            case,
        }
    }

    /// Another item that covers the n-th, and whether the two are the same; of equal ones the first stays.
    fn covering_item(&self, n: usize) -> Option<(&'a ClauseItem, bool)> {
        let (item, text) = &self.items[n];
        let first = self.first[n];
        if first != n {
            // Two spans in one place are one written item, made twice by a loop.
            let other = self.items[first].0;
            return (other.span != item.span && coexist(other, item)).then_some((other, true));
        }
        let own = self.wide.binary_search_by_key(&n, |w| w.at).ok();
        self.wide
            .iter()
            .map(|w| (w, &self.items[w.at]))
            .find(|(w, (other, wide))| {
                text.as_bytes().starts_with(&wide.as_bytes()[..w.head])
                    && wide != text
                    && other.span != item.span
                    && coexist(other, item)
                    && match own {
                        Some(own) => w.pattern.covers(&self.wide[own].pattern).is_yes(),
                        None => glob::matches(wide, text, self.case),
                    }
            })
            .map(|(_, (other, _))| (*other, false))
    }
}

/// Whether what stands in a branch of a conditional is there whenever `item` is.
fn coexist(other: &ClauseItem, item: &ClauseItem) -> bool {
    other.branch.is_none() || other.branch == item.branch
}

fn actions(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, clause: &Clause) {
    let compared = ComparedItems::new(clause, CaseSensitivity::Insensitive);
    for (n, (item, _)) in compared.items.iter().enumerate() {
        let Some((other, same)) = compared
            .covering_item(n)
            .filter(|(o, _)| !cx.is_example_value(o, item.span))
        else {
            continue;
        };
        let (rule, message) = if same {
            (ids::DUPLICATE_ACTION, format!("`{}` is listed twice", item.display()))
        } else {
            (
                ids::REDUNDANT_ACTION,
                format!("`{}` is already covered by `{}`", item.display(), other.display()),
            )
        };
        let f = cx
            .at_statement(rule, s, message)
            .primary(item.span, "changes nothing")
            .secondary(other.span, if same { "the first one" } else { "covers it" })
            .actions([item.display().to_lowercase()]);
        out.push(with_removal(cx, f, item, other));
    }
}

fn resources(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, clause: &Clause) {
    let compared = ComparedItems::new(clause, CaseSensitivity::Sensitive);
    for (n, (item, _)) in compared.items.iter().enumerate() {
        let Some((other, _)) = compared
            .covering_item(n)
            .filter(|(o, _)| !cx.is_example_value(o, item.span))
        else {
            continue;
        };
        let message = format!("`{}` is already covered by `{}`", item.display(), other.display());
        let f = cx
            .at_statement(ids::REDUNDANT_RESOURCE, s, message)
            .primary(item.span, "changes nothing")
            .secondary(other.span, "covers it")
            .resources([item.display()]);
        out.push(with_removal(cx, f, item, other));
    }
}

/// Neither may be different in another instance of the same text.
fn with_removal(cx: &Context<'_>, f: Finding, item: &ClauseItem, other: &ClauseItem) -> Finding {
    if !cx.is_literal(item) || !cx.is_literal(other) {
        return f;
    }
    let remedy = Remedy::safe(format!("remove `{}`", item.display())).remove(item.span);
    if item.text.known() == other.text.known() {
        return f.remedy(remedy);
    }
    let wide = Remedy::risky(format!("remove `{}`, keep `{}`", other.display(), item.display())).remove(other.span);
    f.remedy(remedy.offered(Offered::UnlessReported(other.span)))
        .remedy(wide.offered(Offered::IfReported(other.span)))
}
