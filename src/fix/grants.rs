//! What the documents of the files grant and deny, to be compared before and after a fix: the one judge of what a fix
//! changes.
//!
//! **Invariant:** two texts that say the same in other words (an action twice, a resource that another one covers) have
//! the same grants. What is not known before deployment is compared as it is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::actions::ActionSet;
use crate::iam::catalogue::Action;
use crate::iam::condition::{Network, OperatorFamily};
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;
use crate::iam::resource_fit::may_apply;
use crate::iam::{Clause, ClauseItem, Condition, Document, Effect, Statement};
use crate::phrase;
use crate::project::Project;
use crate::source::Text;

/// Documents with more resources in one frame than this are compared as they are written.
const MAX_RESOURCES: usize = 400;

/// How many actions a line of the difference names.
const NAMED: usize = 3;

/// Path of the file, the holder of the document, and its number among the documents of that holder.
type DocumentKey = (String, String, usize);

/// What the statements with one effect, one set of principals, and one set of conditions say: actions by resource.
type GrantFrame = BTreeMap<String, ActionSet>;

/// How a frame begins, and what is said of its actions.
const EFFECTS: &[(&str, &str)] = &[
    ("Allow", "allowed"),
    ("Deny", "denied"),
    ("Invalid", "named without a valid effect"),
    ("Unknown", "named with an unknown effect"),
];

/// Every document in play.
#[derive(Debug, Default)]
pub(super) struct Grants {
    documents: BTreeMap<DocumentKey, BTreeMap<String, GrantFrame>>,
    /// What is written as a resource, by how it is shown.
    resources: BTreeMap<String, Text>,
}

impl Grants {
    pub(super) fn new(project: &Project<'_>) -> Self {
        let mut out = Self::default();
        for d in &project.documents {
            let path = project.sources.path(d.span.file).to_owned();
            let owner = d.owner.as_ref().map(|o| format!("{}.{}", o.address, o.attribute));
            let owner = owner.unwrap_or_default();
            let first = (path.clone(), owner.clone(), 0);
            let same = out.documents.range(first..=(path.clone(), owner.clone(), usize::MAX));
            let number = same.count();
            out.documents.insert((path, owner, number), frames(d));
            let clauses = d.statements.iter().filter_map(|s| s.resource.as_ref());
            for item in clauses.filter(|c| !c.negated).flat_map(|c| &c.items) {
                out.resources.entry(item.display()).or_insert_with(|| item.text.clone());
            }
        }
        out
    }

    /// What is granted or denied before and not after, and the other way round, in order.
    pub(super) fn difference(&self, after: &Self) -> Vec<GrantChange> {
        let nothing = BTreeMap::new();
        let mut out = Vec::new();
        let places: BTreeSet<&DocumentKey> = self.documents.keys().chain(after.documents.keys()).collect();
        for place in places {
            let old = self.documents.get(place).unwrap_or(&nothing);
            let new = after.documents.get(place).unwrap_or(&nothing);
            if old != new {
                self.add_changes(&place.0, Direction::Lost, [old, new], &mut out);
                after.add_changes(&place.0, Direction::Gained, [new, old], &mut out);
            }
        }
        out
    }

    /// What the first of two documents says, which is one of these, and the other does not.
    fn add_changes(
        &self,
        path: &str,
        direction: Direction,
        [these, those]: [&BTreeMap<String, GrantFrame>; 2],
        out: &mut Vec<GrantChange>,
    ) {
        for (frame, resources) in these {
            for (resource, actions) in resources {
                let mut rest = actions.clone();
                for other in those.get(frame).into_iter().flat_map(|f| covering_grants(f, resource)) {
                    rest.subtract(other);
                }
                if rest.is_empty() {
                    continue;
                }
                let text = self.resources.get(resource);
                let applies = |a: &Action| text.is_none_or(|text| may_apply(text, *a));
                out.push(GrantChange {
                    path: path.to_owned(),
                    direction,
                    frame: frame.clone(),
                    actions: rest.iter().filter(applies).collect(),
                    resource: resource.clone(),
                });
            }
        }
    }
}

/// What a change of the grants is, in lines for people: each once.
pub(super) fn lines(changes: &[GrantChange]) -> Vec<String> {
    // Documents without a name are distinguished by their number only.
    let mut seen = BTreeSet::new();
    let lines = changes.iter().filter_map(GrantChange::line);
    lines.filter(|line| seen.insert(line.clone())).collect()
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Lost,
    Gained,
}

/// Actions on a resource that only one of two states grants or denies.
#[derive(Clone, Debug)]
pub(super) struct GrantChange {
    path: String,
    direction: Direction,
    frame: String,
    /// Those that the statement may apply to.
    actions: ActionSet,
    resource: String,
}

impl GrantChange {
    /// `None` if the statement never applied to any of the actions: they need other resources, or `*`.
    fn line(&self) -> Option<String> {
        let shown: Vec<&str> = self.actions.iter().map(Action::name).collect();
        let named = shown.get(..NAMED).unwrap_or(&shown).join(", ");
        let more = phrase::and_more(NAMED, shown.len().saturating_sub(NAMED));
        let on = match self.resource.is_empty() {
            true => String::new(),
            false => format!(" on {}", self.resource),
        };
        let (effect, limits) = EFFECTS
            .iter()
            .find_map(|(key, word)| Some((*word, self.frame.strip_prefix(key)?)))
            .unwrap_or(("named", ""));
        let now = match self.direction {
            Direction::Lost => "no longer",
            Direction::Gained => "now",
        };
        (!shown.is_empty()).then(|| format!("{}: {now} {effect}{limits}: {named}{more}{on}", self.path))
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
        Some(Effect::Allow) => "Allow",
        Some(Effect::Deny) => "Deny",
        Some(Effect::Invalid) => "Invalid",
        Some(Effect::Unknown) | None => "Unknown",
    }
    .to_owned();
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
        lines(&changes(old, new))
    }

    fn changes(old: &str, new: &str) -> Vec<GrantChange> {
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
        assert!(
            gone.len() == 1 && gone[0].starts_with("p.json: no longer allowed: "),
            "{gone:?}"
        );
        let wider = ONE.replace("s3:GetObject", "s3:GetObjectAcl");
        assert_eq!(
            difference(ONE, &wider),
            [
                "p.json: no longer allowed: s3:GetObject on arn:aws:s3:::a/*",
                "p.json: now allowed: s3:GetObjectAcl on arn:aws:s3:::a/*"
            ]
        );
        let deny = ONE.replace("Allow", "Deny");
        assert_eq!(
            difference(&deny, ONE),
            [
                "p.json: no longer denied: s3:GetObject on arn:aws:s3:::a/*",
                "p.json: now allowed: s3:GetObject on arn:aws:s3:::a/*"
            ]
        );
    }

    #[test]
    fn what_the_resource_never_allowed_is_a_change_and_not_named() {
        let on_table = |actions: &str| {
            let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/a";
            format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"{table}"}}"#)
        };
        let kept = on_table(r#""dynamodb:GetItem""#);
        let both = on_table(
            r#"["dynamodb:GetItem","dynamodb:DescribeLimits","dynamodb:CreateBackup","dynamodb:DeleteBackup"]"#,
        );
        assert_eq!(
            difference(&both, &kept),
            ["p.json: no longer allowed: dynamodb:CreateBackup on arn:aws:dynamodb:eu-west-1:111122223333:table/a"]
        );
        let limits = on_table(r#"["dynamodb:GetItem","dynamodb:DescribeLimits"]"#);
        assert_eq!(
            (changes(&limits, &kept).len(), difference(&limits, &kept).len()),
            (1, 0)
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
