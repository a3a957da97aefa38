//! Statements that another statement of the document covers.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::finding::{Offered, Remedy};
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;
use crate::iam::resource_fit::Resources;
use crate::iam::size::{MOST_ITEMS, MOST_STATEMENTS};
use crate::iam::{ActionSet, Clause, ClauseItem, Condition, DocumentOrigin, PrincipalClause, Statement};
use crate::phrase;
use crate::rules::{Context, FindingSink, ids};
use crate::source::{FileId, HoleKind, ProblemKind, Span};
use crate::value::Guard;

pub(super) fn redundant(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    // Of what the directives of a template hold, one or the other may be left out.
    let problems = cx.project.problems.iter();
    let templates: BTreeSet<FileId> = problems
        .filter(|p| p.kind == ProblemKind::NotEvaluated)
        .map(|p| p.span.file)
        .collect();
    // A statement that is made several times, or stands in several documents that a branch decides between, changes
    // nothing only where it does so in each.
    let mut matters: BTreeSet<Span> = BTreeSet::new();
    let mut found = Vec::new();
    for (id, d) in cx.documents() {
        let several = (2..=MOST_STATEMENTS).contains(&d.statements.len());
        if d.origin != DocumentOrigin::Written || !several || templates.contains(&d.span.file) {
            matters.extend(d.statements.iter().map(|s| s.span));
            continue;
        }
        let compared: Vec<ComparedStatement<'_>> = d.statements.iter().map(ComparedStatement::new).collect();
        let closed: Vec<bool> = d.statements.iter().map(|s| cx.project.is_closed(s)).collect();
        for (i, s) in compared.iter().enumerate() {
            let other = compared
                .iter()
                .enumerate()
                .filter(|(j, o)| *j != i && closed[i] && closed[*j] && covers(o, s))
                .find(|(j, o)| *j < i || !covers(s, o));
            match other {
                Some((_, other)) => {
                    let same = covers(s, other);
                    found.push((cx.project.statement(id, i), other.statement, same));
                }
                None => {
                    matters.insert(s.statement.span);
                }
            }
        }
    }
    for (s, other, same) in found {
        if matters.contains(&s.span) {
            continue;
        }
        let f = cx
            .at_statement(ids::REDUNDANT_STATEMENT, s, "another statement covers this one")
            .primary(statement_label_span(&s), "has no effect")
            .secondary(
                statement_label_span(other),
                if same { "identical" } else { "covers it" },
            );
        // A condition that a wider permission lacks was meant to limit it: removing it is not what to do.
        let limits = s.allows() && !s.conditions.is_empty() && other.conditions.is_empty();
        if limits {
            out.push(
                f.help("Add the condition to the broader statement too, or remove this statement if the condition is not intended."),
            );
            continue;
        }
        out.push(match s.branch.is_none() && other.branch.is_none() {
            // Whether conditions with unknown values are the same is not certain.
            true if same && !is_known(&s) => f.remedy(Remedy::risky("remove the statement").remove(s.span)),
            true if same => f.remedy(Remedy::safe("remove the statement").remove(s.span)),
            true => {
                let narrow = Remedy::safe("remove the statement").remove(s.span);
                let f = f.remedy(narrow.offered(Offered::UnlessReported(other.span)));
                match covers_required_types(&s) {
                    true => f.remedy(remove_covered(other, &s).offered(Offered::IfReported(other.span))),
                    false => f,
                }
            }
            false => f,
        });
    }
}

/// A statement, and what of it is compared with each other one: found out once, where it comes to that.
struct ComparedStatement<'a> {
    statement: &'a Statement,
    actions: OnceCell<ActionSet>,
    lines: OnceCell<Option<Vec<Line>>>,
    patterns: [OnceCell<Vec<Pattern>>; 2],
}

impl<'a> ComparedStatement<'a> {
    fn new(statement: &'a Statement) -> Self {
        Self {
            statement,
            actions: OnceCell::new(),
            lines: OnceCell::new(),
            patterns: Default::default(),
        }
    }

    /// The actions that its items certainly stand for, whether these are allowed or left out.
    fn actions(&self) -> &ActionSet {
        self.actions.get_or_init(|| {
            let mut all = ActionSet::empty();
            let sets = self.statement.action.iter().flat_map(Clause::item_actions);
            sets.for_each(|set| all.union_with(set));
            all
        })
    }

    /// The conditions as written, by operator and key; `None` where one of these is not known.
    fn lines(&self) -> Option<&Vec<Line>> {
        let lines = || {
            let mut out: Vec<Line> = self
                .statement
                .conditions
                .iter()
                .map(Line::from_condition)
                .collect::<Option<_>>()?;
            out.sort_by(|a, b| a.name.cmp(&b.name));
            Some(out)
        };
        self.lines.get_or_init(lines).as_ref()
    }

    fn clause(&self, case: CaseSensitivity) -> Option<&'a Clause> {
        match case {
            CaseSensitivity::Insensitive => self.statement.action.as_ref(),
            CaseSensitivity::Sensitive => self.statement.resource.as_ref(),
        }
    }

    /// The items of the actions, or of the resources.
    fn patterns(&self, case: CaseSensitivity) -> &[Pattern] {
        let items = self.clause(case).into_iter().flat_map(|c| &c.items);
        let made = &self.patterns[usize::from(case == CaseSensitivity::Sensitive)];
        made.get_or_init(|| items.map(|i| Pattern::new(&i.text, case)).collect())
    }
}

/// Whether the resources of a statement are of each type that its actions may ask for in one request. `ec2:RunInstances` is
/// asked for the instance, its image, its subnet and more: without the wider statement the narrower one would not do.
fn covers_required_types(s: &Statement) -> bool {
    let (Some(clause), Some(actions)) = (&s.resource, s.action.as_ref().and_then(Clause::actions)) else {
        return true;
    };
    let Some(mut resources) = Resources::new(clause, |_| None) else {
        return true;
    };
    actions
        .iter()
        .flat_map(|a| a.resource_types().filter(|t| t.required))
        .all(|t| resources.has_type(t))
}

fn is_known(s: &Statement) -> bool {
    let mut values = s.conditions.iter().flat_map(|c| &c.values);
    values.all(|v| v.text.is_known()) && s.conditions.iter().all(|c| c.complete)
}

/// Takes from the wider of two statements what covers the narrower one: its patterns of actions, or all of it where nothing
/// else is left.
fn remove_covered(wide: &Statement, narrow: &Statement) -> Remedy {
    let actions = narrow
        .action
        .as_ref()
        .and_then(Clause::actions)
        .unwrap_or_else(ActionSet::empty);
    let clause = wide.action.as_ref().filter(|c| !c.negated);
    let items = clause.into_iter().flat_map(|c| c.items.iter().zip(c.item_actions()));
    let covering: Vec<&ClauseItem> = items
        .filter(|(_, set)| set.intersects(&actions))
        .map(|(i, _)| i)
        .collect();
    match covering.as_slice() {
        [first, rest @ ..] if clause.is_some_and(|c| covering.len() < c.items.len()) => {
            let more = phrase::and_more(1, rest.len());
            let title = format!("remove `{}`{more} from the broader statement", first.display());
            covering
                .iter()
                .fold(Remedy::risky(title), |r, item| r.remove(item.span))
        }
        _ => Remedy::risky("remove the broader statement").remove(wide.span),
    }
}

/// What a person points at to name a statement.
fn statement_label_span(s: &Statement) -> Span {
    let sid = s.sid.as_ref().filter(|x| s.span.contains(x.span)).map(|x| x.span);
    let action = s.action.as_ref().map(|a| a.span);
    sid.or(action).unwrap_or(s.span)
}

/// Whether all that `s` says follows from `o`.
fn covers(wide: &ComparedStatement<'_>, narrow: &ComparedStatement<'_>) -> bool {
    let (o, s) = (wide.statement, narrow.statement);
    // Statements of one place are one written statement, made several times.
    if o.span == s.span || !o.accompanies(s) || o.open || s.open {
        return false;
    }
    let effect =
        matches!((&o.effect, &s.effect), (Some(a), Some(b)) if a.value == b.value) && (s.allows() || s.denies());
    effect
        && principals(o.principal.as_ref(), s.principal.as_ref())
        && (o.condition_key.is_none() && o.conditions.is_empty() || same_conditions(wide, narrow))
        && clause(wide, narrow, CaseSensitivity::Insensitive)
        && clause(wide, narrow, CaseSensitivity::Sensitive)
}

fn clause(o: &ComparedStatement<'_>, s: &ComparedStatement<'_>, case: CaseSensitivity) -> bool {
    let (of_o, of_s) = match (o.clause(case), s.clause(case)) {
        (None, None) => return true,
        (Some(o), Some(s)) => (o, s),
        _ => return false,
    };
    let complete = of_o.complete && of_s.complete && !of_o.items.is_empty() && !of_s.items.is_empty();
    if of_o.negated != of_s.negated || !complete || of_o.items.len() + of_s.items.len() > MOST_ITEMS {
        return false;
    }
    // Of what is excluded, the other excludes no more.
    let (wide, narrow) = if of_s.negated { (s, o) } else { (o, s) };
    if case == CaseSensitivity::Insensitive && !narrow.actions().is_subset(wide.actions()) {
        return false;
    }
    let items = wide.clause(case).into_iter().flat_map(|c| &c.items);
    let always = || {
        items
            .clone()
            .zip(wide.patterns(case))
            .filter(|(i, _)| i.branch.is_none())
    };
    let mut narrow = narrow.patterns(case).iter();
    narrow.all(|one| always().any(|(_, w)| w.covers(one).is_yes()))
}

fn principals(o: Option<&PrincipalClause>, s: Option<&PrincipalClause>) -> bool {
    let (o, s) = match (o, s) {
        (None, None) => return true,
        (Some(o), Some(s)) => (o, s),
        _ => return false,
    };
    if o.negated || s.negated || !o.complete || !s.complete {
        return false;
    }
    s.items.iter().all(|p| {
        p.value.text.is_known()
            && o.items
                .iter()
                .any(|q| q.kind == p.kind && q.value.text.known() == p.value.text.known())
    })
}

fn same_conditions(o: &ComparedStatement<'_>, s: &ComparedStatement<'_>) -> bool {
    let same = o.statement.conditions.len() == s.statement.conditions.len() && !o.statement.conditions.is_empty();
    same && o.lines().is_some() && o.lines() == s.lines()
}

/// One line of a condition. A variable or a reference is the same value wherever one deployment has it.
#[derive(PartialEq)]
struct Line {
    /// Operator and key.
    name: String,
    /// With the alternative that each is there in.
    values: Vec<(Pattern, Option<Guard>)>,
}

impl Line {
    /// `None` where the key, the operator or a value is not known, not even by a name that means one thing.
    fn from_condition(c: &Condition) -> Option<Self> {
        let name = format!("{} {}", c.operator.text.known()?, c.key.text.known()?).to_lowercase();
        let holes = || c.values.iter().flat_map(|v| v.text.holes());
        // What a variable stands for may be several values: the same ones in both.
        let complete = c.complete || holes().any(|h| !h.kind.is_placeholder());
        let known = complete && holes().all(|h| is_same_value_by_name(h.kind));
        let value = |v: &ClauseItem| (Pattern::new(&v.text, CaseSensitivity::Sensitive), v.branch.clone());
        known.then(|| Self {
            name,
            values: c.values.iter().map(value).collect(),
        })
    }
}

/// Whether two holes of this kind with one name are one value. `each.value` and what could not be read are not.
fn is_same_value_by_name(kind: HoleKind) -> bool {
    matches!(
        kind,
        HoleKind::Account
            | HoleKind::Partition
            | HoleKind::Region
            | HoleKind::UrlSuffix
            | HoleKind::Resource
            | HoleKind::Existing
            | HoleKind::Input
    )
}
