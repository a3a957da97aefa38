//! What the documents of the files grant and deny before and after a fix, judged by the engine of `overgrant diff`.
//!
//! **Invariant:** what a document allows and what it denies are compared apart: where neither differs, nothing differs for
//! anyone who has the document, whatever other policies there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::sets::{Change, Describer, Difference, Values, compare_as};
use crate::iam::{ClauseItem, Condition, Document, Effect, Statement};
use crate::phrase;
use crate::project::{CombinedPolicy, Project, RepositoryPlace};
use crate::source::{Span, one_line};

/// How many items of a list a line names.
const NAMED: usize = 3;

/// Path of the file, the holder of the document, and its number among the documents of that holder.
type DocumentKey = (String, String, usize);

/// Every document in play.
#[derive(Debug, Default)]
pub(super) struct Grants {
    documents: BTreeMap<DocumentKey, GrantedDocument>,
    /// Places of statements, in order.
    statements: Vec<Span>,
}

#[derive(Debug)]
struct GrantedDocument {
    policy: CombinedPolicy,
    /// All that it says, in no order.
    text: String,
    /// Of each statement, as it is written.
    conditions: Vec<Vec<Condition>>,
}

impl Grants {
    pub(super) fn new(project: &Project<'_>) -> Self {
        let sources = project.sources;
        let place = &RepositoryPlace::anywhere(project);
        let mut out = Self::default();
        for d in project.documents.iter().filter(|d| d.span.is_in_source()) {
            let path = sources.path(d.span.file).to_owned();
            let owner = d.owner.as_ref().map(|o| format!("{}.{}", o.address, o.attribute));
            let owner = owner.unwrap_or_default();
            let first = (path.clone(), owner.clone(), 0);
            let same = out.documents.range(first..=(path.clone(), owner.clone(), usize::MAX));
            let number = same.count();
            out.statements.extend(d.statements.iter().map(|s| s.span));
            let policy = project.document_policy(d, place);
            let version = d.version.as_ref().map(|v| v.display());
            let document = GrantedDocument {
                text: policy.text() + &version.unwrap_or_default(),
                policy,
                conditions: d.statements.iter().map(|s| s.conditions.clone()).collect(),
            };
            out.documents.insert((path, owner, number), document);
        }
        out.statements.sort_unstable();
        out
    }

    /// The statements that something at this place would change.
    pub(super) fn statements_at(&self, place: Span) -> impl Iterator<Item = Span> {
        let key = |s: &Span| (s.file, s.start);
        let to = self.statements.partition_point(|s| key(s) <= (place.file, place.end));
        // Statements do not overlap, but one that several documents share stands there several times.
        let before = self.statements[..to].iter().rev();
        before
            .take_while(move |s| s.file == place.file && s.end >= place.start)
            .copied()
    }

    /// What is granted or denied before and not after, and the other way round, in order.
    pub(super) fn difference(&self, after: &Self) -> Vec<GrantChange> {
        let mut out = Vec::new();
        let places: BTreeSet<&DocumentKey> = self.documents.keys().chain(after.documents.keys()).collect();
        for place in places {
            let (old, new) = (self.documents.get(place), after.documents.get(place));
            let Some(any) = new.or(old) else { continue };
            if old.map(|d| &d.text) == new.map(|d| &d.text) {
                continue;
            }
            let nothing = &GrantedDocument {
                policy: any.policy.nothing(),
                text: String::new(),
                conditions: Vec::new(),
            };
            let pair = DocumentPair {
                path: &place.0,
                old: old.unwrap_or(nothing),
                new: new.unwrap_or(nothing),
            };
            pair.compare(Effect::Allow, &mut out);
            pair.compare(Effect::Deny, &mut out);
        }
        out
    }
}

/// What a change of the grants is, in lines for people: each once.
pub(super) fn lines<'c>(changes: impl IntoIterator<Item = &'c GrantChange>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let lines = changes.into_iter().map(|c| format!("{}: {}", c.path, c.what));
    lines.filter(|line| seen.insert(line.clone())).collect()
}

/// Which way access changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GrantEffect {
    Narrows,
    Widens,
    Unknown,
}

/// Something that only one of two states grants or denies.
#[derive(Clone, Debug)]
pub(super) struct GrantChange {
    pub(super) path: String,
    pub(super) effect: GrantEffect,
    /// The statement of the first state.
    pub(super) statement: Option<Span>,
    /// "removes `s3:GetObject` on every resource"
    pub(super) what: String,
}

/// A document before and after.
struct DocumentPair<'d> {
    path: &'d str,
    old: &'d GrantedDocument,
    new: &'d GrantedDocument,
}

impl DocumentPair<'_> {
    /// Compares what both allow, or what both deny.
    fn compare(&self, effect: Effect, out: &mut Vec<GrantChange>) {
        let (of_old, of_new) = (self.old.part(effect), self.new.part(effect));
        let (old, new) = (&of_old.document, &of_new.document);
        let more = compare_as(old, new, &Values::new(), None);
        let less = compare_as(new, old, &more.assumed, None);
        let (mut of_more, mut of_less) = (Describer::new(old, new), Describer::new(new, old));
        let (added, removed) = match effect {
            Effect::Deny => (GrantEffect::Narrows, GrantEffect::Widens),
            _ => (GrantEffect::Widens, GrantEffect::Narrows),
        };
        let verbs = match effect {
            Effect::Deny => ("denies", "no longer denies"),
            _ => ("adds", "removes"),
        };
        // What actions do not have is no access.
        for g in less.gained.iter().filter(|g| !g.is_unreal) {
            for change in of_less.describe(g) {
                let statement = of_old.places.get(g.statement).copied();
                let rest = self.rest(&of_old, &of_new, g.statement);
                self.push(
                    removed,
                    statement,
                    format!("{} {}{rest}", verbs.1, sentence(&change)),
                    out,
                );
            }
        }
        for g in more.gained.iter().filter(|g| !g.is_unreal) {
            for change in of_more.describe(g) {
                let statement = self.counterpart(&of_new, g.statement);
                self.push(added, statement, format!("{} {}", verbs.0, sentence(&change)), out);
            }
        }
        for doubt in doubts(&more).chain(doubts(&less)) {
            self.push(GrantEffect::Unknown, None, format!("unknown: {doubt}"), out);
        }
    }

    fn push(&self, effect: GrantEffect, statement: Option<Span>, what: String, out: &mut Vec<GrantChange>) {
        out.push(GrantChange {
            path: self.path.to_owned(),
            effect,
            statement: statement.filter(|s| s.is_in_source()),
            what: one_line(&what).into_owned(),
        });
    }

    /// The statement of the first state that is the `n`th of a part of the second one.
    fn counterpart(&self, part: &DocumentPart, n: usize) -> Option<Span> {
        let (old, new) = (
            &self.old.policy.document.statements,
            &self.new.policy.document.statements,
        );
        let at = *part.index.get(n)?;
        old.get(at).filter(|_| old.len() == new.len()).map(|s| s.span)
    }

    /// What a statement still grants: " but `arn:…`", " unless `aws:SourceAccount` is `111122223333`".
    fn rest(&self, of_old: &DocumentPart, of_new: &DocumentPart, n: usize) -> String {
        let counts = [of_old, of_new].map(|part| part.document.statements.len());
        let (Some(old), Some(new)) = (of_old.document.statements.get(n), of_new.document.statements.get(n)) else {
            return String::new();
        };
        if counts[0] != counts[1] {
            return String::new();
        }
        let conditions = |d: &GrantedDocument, part: &DocumentPart| {
            let at = part.index.get(n)?;
            d.conditions.get(*at).cloned()
        };
        let before: Vec<String> = conditions(self.old, of_old).iter().flatten().map(condition).collect();
        let after = conditions(self.new, of_new).unwrap_or_default();
        let fresh = after.iter().map(condition).filter(|c| !before.contains(c));
        let fresh: Vec<String> = fresh.collect();
        if !fresh.is_empty() {
            return format!(" unless {}", fresh.join(" and "));
        }
        let items = |s: &Statement| -> Vec<String> { s.written_resources().map(ClauseItem::display).collect() };
        let names = |s: &Statement| -> Vec<String> {
            let items = s.principal.iter().flat_map(|p| &p.items);
            items.map(|i| i.value.display()).collect()
        };
        let left = |of: &dyn Fn(&Statement) -> Vec<String>| {
            let (was, now) = (of(old), of(new));
            let fresh: Vec<String> = now.into_iter().filter(|i| !was.contains(i)).collect();
            (!fresh.is_empty()).then(|| format!(" but {}", some(&fresh)))
        };
        left(&items).or_else(|| left(&names)).unwrap_or_default()
    }
}

/// The statements of a document with one effect, as if they allowed it.
struct DocumentPart {
    document: Document,
    /// Of each statement: its index in the document.
    index: Vec<usize>,
    places: Vec<Span>,
}

impl GrantedDocument {
    /// What has an unknown effect counts as both.
    fn part(&self, effect: Effect) -> DocumentPart {
        let all = self.policy.document.statements.iter().enumerate();
        let fits = |s: &Statement| match s.effect.as_ref().map(|e| e.value) {
            Some(Effect::Unknown) | None => true,
            Some(own) => own == effect,
        };
        let (index, statements): (Vec<usize>, Vec<Statement>) =
            all.filter(|(_, s)| fits(s)).map(|(at, s)| (at, s.clone())).unzip();
        let places = statements.iter().map(|s| s.span).collect();
        let mut document = Document {
            statements,
            ..self.policy.document.clone()
        };
        for s in document.statements.iter_mut().filter(|_| effect == Effect::Deny) {
            if let Some(own) = s.effect.as_mut().filter(|e| e.value == Effect::Deny) {
                own.value = Effect::Allow;
            }
        }
        DocumentPart {
            document,
            index,
            places,
        }
    }
}

fn doubts(found: &Difference) -> impl Iterator<Item = &str> {
    found.unknown.iter().map(|doubt| &*doubt.why)
}

/// "`aws:SourceAccount` is `111122223333`"
fn condition(c: &Condition) -> String {
    let values: Vec<String> = c.values.iter().map(ClauseItem::display).collect();
    let operator = c.operator.display().to_ascii_lowercase();
    let is = match operator.as_str() {
        "null" if values == ["false"] => return format!("`{}` is present", c.key.display()),
        "null" if values == ["true"] => return format!("`{}` is absent", c.key.display()),
        "stringequals" => "is",
        "stringlike" | "arnlike" | "arnequals" => "matches",
        _ => return format!("`{}` {} {}", c.key.display(), c.operator.display(), some(&values)),
    };
    format!("`{}` {is} {}", c.key.display(), phrase::quoted(&values, " or "))
}

/// "`s3:GetObject` and 2 more on every resource for `arn:…` under a condition on `aws:SourceIp`"
fn sentence(c: &Change) -> String {
    let of = |lead: &str, items: &[String]| match items {
        [] => String::new(),
        [one] if one == "*" => format!("{lead}{}", if lead == " on " { "every resource" } else { "everyone" }),
        items => format!("{lead}{}", some(items)),
    };
    let mut out = some(&c.actions);
    out += &of(" on ", &c.resources);
    out += &of(" for ", &c.principals);
    let keys: BTreeSet<&str> = c.conditions.iter().map(|c| &*c.key).collect();
    if !keys.is_empty() {
        out += &format!(" under a condition on {}", phrase::list(keys));
    }
    out
}

/// "`a`, `b`, and 3 more"
fn some(items: &[String]) -> String {
    let shown = items.len().min(NAMED);
    phrase::list(&items[..shown]) + &phrase::and_more(shown, items.len() - shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Ownership;
    use crate::pipeline::analyze;
    use crate::source::Sources;

    /// The difference between two texts of a policy.
    fn difference(old: &str, new: &str) -> Vec<String> {
        let own = Ownership::default();
        let grants = |statements: &str| {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
            let sources = Sources::from_strings(&[("p.json", &text)]);
            Grants::new(&analyze(&sources, &own).project)
        };
        lines(&grants(old).difference(&grants(new)))
    }

    const ONE: &str = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"}"#;
    const ALL: &str = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#;

    #[test]
    fn what_is_covered_makes_no_difference() {
        for (old, new) in [
            (format!("{ONE},{ALL}"), ALL.to_owned()),
            (ONE.to_owned(), ONE.replace("s3:GetObject", "S3:getobject")),
            (
                ONE.to_owned(),
                ONE.replace(r#""arn:aws:s3:::a/*""#, r#"["arn:aws:s3:::a/*","arn:aws:s3:::a/b"]"#),
            ),
        ] {
            assert_eq!(difference(&old, &new), Vec::<String>::new(), "{old}");
        }
    }

    #[test]
    fn what_is_gone_and_what_is_new_is_named() {
        let gone = difference(&format!("{ONE},{ALL}"), ONE);
        assert!(gone.len() == 1 && gone[0].starts_with("p.json: removes "), "{gone:?}");
        let wider = ONE.replace("s3:GetObject", "s3:GetObjectAcl");
        assert_eq!(
            difference(ONE, &wider),
            [
                "p.json: removes `s3:GetObject` on `arn:aws:s3:::a/*`",
                "p.json: adds `s3:GetObjectAcl` on `arn:aws:s3:::a/*`"
            ]
        );
        let deny = ONE.replace("Allow", "Deny");
        assert_eq!(
            difference(&deny, ONE),
            [
                "p.json: adds `s3:GetObject` on `arn:aws:s3:::a/*`",
                "p.json: no longer denies `s3:GetObject` on `arn:aws:s3:::a/*`"
            ]
        );
    }

    #[test]
    fn what_is_left_is_named() {
        let condition =
            r#""Resource":"arn:aws:s3:::a/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}"#;
        let limited = ONE.replace(r#""Resource":"arn:aws:s3:::a/*""#, condition);
        assert_eq!(
            difference(ONE, &limited),
            ["p.json: removes `s3:GetObject` on `arn:aws:s3:::a/*` unless `aws:PrincipalOrgID` is `o-a1b2c3d4e5`"]
        );
        let wide = ONE.replace("arn:aws:s3:::a/*", "*");
        assert_eq!(
            difference(&wide, ONE),
            ["p.json: removes `s3:GetObject` on every resource but `arn:aws:s3:::a/*`"]
        );
    }

    #[test]
    fn a_statement_with_more_keys_is_found() {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{ONE},{ALL}]}}"#);
        let sources = Sources::from_strings(&[("p.json", &text)]);
        let own = Ownership::default();
        let grants = Grants::new(&analyze(&sources, &own).project);
        let file = sources.ids().next().unwrap();
        let at = |word: &str| {
            let start = text.find(word).unwrap();
            let found = grants.statements_at(Span::new(file, start, start + word.len()));
            found.map(|s| sources.slice(s)).collect::<Vec<_>>()
        };
        assert_eq!(at("s3:GetObject"), [ONE]);
        assert_eq!(at("s3:Get*"), [ALL]);
        assert!(at("Version").is_empty());
    }
}
