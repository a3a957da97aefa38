//! What the documents of the files grant and deny, to be compared before and after a fix: the one judge of what a fix
//! changes.
//!
//! **Invariant:** two texts that say the same in other words (an action twice, a resource that another one covers) have
//! the same grants. What is not known before deployment is compared as it is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::actions::ActionSet;
use crate::iam::condition::{Network, OperatorFamily};
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;
use crate::iam::{Clause, ClauseItem, Condition, Document, Effect, Statement};
use crate::phrase;
use crate::project::Project;

/// Documents with more resources in one frame than this are compared as they are written.
const MAX_RESOURCES: usize = 400;

/// How many actions a line of the difference names.
const NAMED: usize = 3;

/// Path of the file, the holder of the document, and its number among the documents of that holder.
type DocumentKey = (String, String, usize);

/// What the statements with one effect, one set of principals, and one set of conditions say: actions by resource.
type GrantFrame = BTreeMap<String, ActionSet>;

/// Every document in play.
#[derive(Debug, Default)]
pub(super) struct Grants(BTreeMap<DocumentKey, BTreeMap<String, GrantFrame>>);

impl Grants {
    pub(super) fn new(project: &Project<'_>) -> Self {
        let mut out: BTreeMap<DocumentKey, BTreeMap<String, GrantFrame>> = BTreeMap::new();
        for d in &project.documents {
            let path = project.sources.path(d.span.file).to_owned();
            let owner = d.owner.as_ref().map(|o| format!("{}.{}", o.address, o.attribute));
            let owner = owner.unwrap_or_default();
            let first = (path.clone(), owner.clone(), 0);
            let number = out.range(first..=(path.clone(), owner.clone(), usize::MAX)).count();
            out.insert((path, owner, number), frames(d));
        }
        Self(out)
    }

    /// What is granted or denied before and not after, and the other way round: one line each, in order.
    pub(super) fn difference(&self, after: &Self) -> Vec<String> {
        let nothing = BTreeMap::new();
        let mut out = Vec::new();
        let places: BTreeSet<&DocumentKey> = self.0.keys().chain(after.0.keys()).collect();
        for place in places {
            let old = self.0.get(place).unwrap_or(&nothing);
            let new = after.0.get(place).unwrap_or(&nothing);
            if old != new {
                lines(&place.0, '-', old, new, &mut out);
                lines(&place.0, '+', new, old, &mut out);
            }
        }
        // Documents without a name are distinguished by their number only.
        let mut seen = BTreeSet::new();
        out.retain(|line| seen.insert(line.clone()));
        out
    }
}

/// What `these` say and `those` do not.
fn lines(
    path: &str,
    sign: char,
    these: &BTreeMap<String, GrantFrame>,
    those: &BTreeMap<String, GrantFrame>,
    out: &mut Vec<String>,
) {
    for (frame, resources) in these {
        for (resource, actions) in resources {
            let mut rest = actions.clone();
            for other in those.get(frame).into_iter().flat_map(|f| covering_grants(f, resource)) {
                rest.subtract(other);
            }
            let count = rest.iter().count();
            let named: Vec<&str> = rest.iter().take(NAMED).map(|a| a.name()).collect();
            let more = phrase::and_more(NAMED, count.saturating_sub(NAMED));
            let on = if resource.is_empty() {
                String::new()
            } else {
                format!(" on {resource}")
            };
            if count > 0 {
                out.push(format!("{sign} {path}: {frame} {}{more}{on}", named.join(", ")));
            }
        }
    }
}

/// What the frame has for a resource, and for those that cover it.
fn covering_grants<'f>(frame: &'f GrantFrame, resource: &str) -> impl Iterator<Item = &'f ActionSet> {
    let literal = |r: &str| r.contains("${") || r.starts_with("not ");
    let narrow = Pattern::plain(resource, CaseSensitivity::Sensitive);
    let compared = frame.len() <= MAX_RESOURCES && !literal(resource);
    let covers = move |wide: &str| {
        compared
            && !literal(wide)
            && Pattern::plain(wide, CaseSensitivity::Sensitive)
                .covers(&narrow)
                .is_yes()
    };
    let resource = resource.to_owned();
    let all = frame.iter().filter(move |(wide, _)| **wide == resource || covers(wide));
    all.map(|(_, actions)| actions)
}

fn frames(d: &Document) -> BTreeMap<String, GrantFrame> {
    let mut out: BTreeMap<String, GrantFrame> = BTreeMap::new();
    for s in &d.statements {
        let frame = out.entry(frame(s)).or_default();
        let actions = actions(s);
        for resource in resources(s) {
            frame
                .entry(resource)
                .or_insert_with(ActionSet::empty)
                .union_with(&actions);
        }
    }
    out.values_mut().for_each(remove_covered);
    out.retain(|_, frame| !frame.is_empty());
    out
}

/// Takes from each resource the actions that another resource, which covers it, has too.
fn remove_covered(frame: &mut GrantFrame) {
    if frame.len() <= MAX_RESOURCES {
        let patterns: Vec<(String, Pattern)> = frame
            .keys()
            .map(|r| (r.clone(), Pattern::plain(r, CaseSensitivity::Sensitive)))
            .collect();
        for (narrow, pattern) in &patterns {
            for (wide, covers) in patterns.iter().filter(|(wide, _)| wide != narrow) {
                let literal = |r: &str| r.contains("${") || r.starts_with("not ");
                if literal(narrow) || literal(wide) || !covers.covers(pattern).is_yes() {
                    continue;
                }
                // Of two that cover each other, the first one stays.
                if pattern.covers(covers).is_yes() && narrow < wide {
                    continue;
                }
                let Some(also) = frame.get(wide).cloned() else { continue };
                if let Some(own) = frame.get_mut(narrow) {
                    own.subtract(&also);
                }
            }
        }
    }
    frame.retain(|_, actions| actions.iter().next().is_some());
}

/// Effect, principals, conditions, and what else decides when the statement counts.
fn frame(s: &Statement) -> String {
    let mut out = match s.effect.as_ref().map(|e| e.value) {
        Some(Effect::Allow) => "Allow".to_owned(),
        Some(Effect::Deny) => "Deny".to_owned(),
        Some(Effect::Invalid) => "no effect:".to_owned(),
        Some(Effect::Unknown) | None => "unknown effect:".to_owned(),
    };
    if let Some(p) = &s.principal {
        let names = sorted(p.items.iter().map(|i| i.value.display()));
        let all = if p.negated { "all but " } else { "" };
        out.push_str(&format!(" [{all}{names}]"));
    }
    if !s.conditions.is_empty() {
        out.push_str(&format!(" [if {}]", sorted(s.conditions.iter().map(condition))));
    }
    if let Some(branch) = &s.branch {
        out.push_str(&format!(" [{branch}]"));
    }
    out
}

fn condition(c: &Condition) -> String {
    let of_networks = c.parsed.is_some_and(|o| o.family == OperatorFamily::IpAddress);
    let values = sorted(c.values.iter().map(|value: &ClauseItem| {
        let shown = value.display();
        // Host bits are not compared: IAM User Guide, "IP address condition operators".
        let network = Network::parse(&shown).filter(|_| of_networks);
        network.map_or(shown, Network::without_host_bits)
    }));
    format!("{} {} {values}", c.operator.display(), c.key.display().to_lowercase())
}

fn sorted(texts: impl Iterator<Item = String>) -> String {
    let all: BTreeSet<String> = texts.collect();
    all.into_iter().collect::<Vec<_>>().join(", ")
}

/// The actions that the statement is about.
fn actions(s: &Statement) -> ActionSet {
    s.action
        .as_ref()
        .and_then(Clause::actions)
        .unwrap_or_else(ActionSet::empty)
}

fn resources(s: &Statement) -> BTreeSet<String> {
    match &s.resource {
        None => BTreeSet::from([String::new()]),
        Some(c) if c.negated => BTreeSet::from([format!("not {}", sorted(c.items.iter().map(ClauseItem::display)))]),
        Some(c) => c.items.iter().map(ClauseItem::display).collect(),
    }
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
        grants(old).difference(&grants(new))
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
        // What a wider permission covered is not new when that one goes.
        let gone = difference(&format!("{ONE},{ALL}"), ONE);
        assert!(gone.len() == 1 && gone[0].starts_with("- "), "{gone:?}");
        let wider = ONE.replace("s3:GetObject", "s3:GetObjectAcl");
        assert_eq!(
            difference(ONE, &wider),
            [
                "- p.json: Allow s3:GetObject on arn:aws:s3:::a/*",
                "+ p.json: Allow s3:GetObjectAcl on arn:aws:s3:::a/*"
            ]
        );
    }

    #[test]
    fn effect_principal_and_condition_count() {
        let held = ONE.replace(
            r#""Effect""#,
            r#""Condition":{"Bool":{"aws:SecureTransport":"true"}},"Effect""#,
        );
        assert_eq!(difference(ONE, &held).len(), 2);
        assert_eq!(difference(ONE, &ONE.replace("Allow", "Deny")).len(), 2);
    }
}
