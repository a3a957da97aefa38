//! Reports the deviations from the policy grammar that lowering recorded.
//! IAM User Guide, "Grammar of the IAM JSON policy language".

use std::collections::BTreeSet;

use crate::edit_distance::nearest_word;
use crate::finding::{Finding, Remedy, Severity};
use crate::iam::{
    Clause, Defect, DefectKind, Document, DocumentOrigin, Effect, POLICY_ELEMENTS, PolicyKind, STATEMENT_ELEMENTS,
    Statement,
};
use crate::project::DocumentId;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, d) in cx.documents() {
        if d.origin != DocumentOrigin::Written {
            continue;
        }
        for defect in &d.defects {
            if let Some(f) = finding(cx, id, d, defect) {
                out.push(f);
            }
        }
    }
}

fn finding(cx: &Context<'_>, id: DocumentId, d: &Document, defect: &Defect) -> Option<Finding> {
    let element = defect.element.as_str();
    let at = |rule: RuleId, message: String| match defect.statement {
        Some(i) => cx.at_statement(rule, cx.project.statement(id, i), message),
        None => cx.at_document(rule, id, message),
    };
    Some(match &defect.kind {
        DefectKind::UnknownElement => {
            let (place, known): (_, &[&str]) = match defect.statement {
                Some(_) => ("policy statement", &STATEMENT_ELEMENTS),
                None => ("policy", &POLICY_ELEMENTS),
            };
            let f = at(
                ids::UNKNOWN_POLICY_ELEMENT,
                format!("`{element}` is not an element of a {place}"),
            )
            .primary(defect.span, "IAM rejects the policy because of this")
            .other_evidence(element.to_lowercase());
            match nearest_word(element, known.iter().copied()) {
                Some(near) if appears_in_source(cx, defect, element) && !has_key(d, defect, near) => f
                    .help(format!("Did you mean `{near}`?"))
                    .remedy(Remedy::granting(format!("write `{near}`")).replace(defect.span, [near])),
                Some(near) => f.help(format!("Did you mean `{near}`?")),
                None => f.help(format!("Use an element of a {place}: {}.", known.join(", "))),
            }
        }
        DefectKind::WrongType { expected, found } => at(
            ids::DATA_TYPE_MISMATCH,
            format!("`{element}` must be {expected}, not {found}"),
        )
        .primary(defect.span, format!("this is {found}"))
        .other_evidence(element.to_lowercase()),
        DefectKind::DuplicateSid { first, sid } => {
            if is_merged(d, defect, *first) {
                return None;
            }
            let f = at(
                ids::DUPLICATE_SID,
                format!("the Sid `{sid}` is used more than once in this policy"),
            );
            let f = if *first == defect.span {
                f.primary(defect.span, "every statement created here gets this Sid")
            } else {
                f.primary(defect.span, "used again")
                    .secondary(*first, "used here first")
            };
            let f = f.other_evidence(sid.clone());
            let key = defect.statement.and_then(|at| d.statements.get(at)).and_then(sid_key);
            let f = match key.filter(|_| *first != defect.span) {
                Some(key) => f.remedy(Remedy::safe("remove the Sid").remove(key)),
                None => f,
            };
            match d.kind {
                PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session => f,
                // Services accept duplicate Sids in resource-based policies.
                _ => f.severity(Severity::Low),
            }
        }
        // The others are declared rules.
        _ => return None,
    })
}

/// Whether the statement of the defect is in the final policy only once: the CDK merges equal statements. AWS CDK API
/// reference, `PolicyDocument`, "Statements".
fn is_merged(d: &Document, defect: &Defect, first: Span) -> bool {
    let of_cdk = d.owner.as_ref().is_some_and(|o| &*o.type_name == "PolicyStatement");
    let Some(again) = defect.statement.and_then(|i| d.statements.get(i)).filter(|_| of_cdk) else {
        return false;
    };
    let mut others = d.statements.iter();
    others.any(|s| s.sid.as_ref().is_some_and(|sid| sid.span == first) && content(s) == content(again))
}

/// The content of a statement, independent of the order of its lists.
fn content(s: &Statement) -> (Option<Effect>, BTreeSet<String>) {
    let clause = |name: &str, c: Option<&Clause>| -> Vec<String> {
        let items = c
            .iter()
            .flat_map(|c| c.items.iter().map(|i| format!("{name} {} {}", c.negated, i.display())));
        items.collect()
    };
    let mut parts: BTreeSet<String> = BTreeSet::new();
    parts.extend(clause("action", s.action.as_ref()));
    parts.extend(clause("resource", s.resource.as_ref()));
    if let Some(p) = &s.principal {
        let items = p.items.iter();
        parts.extend(items.map(|i| format!("principal {} {:?} {}", p.negated, i.kind, i.value.display())));
    }
    for c in &s.conditions {
        let values = c.values.iter();
        let (operator, key) = (c.operator.display(), c.key.display());
        parts.extend(values.map(|v| format!("condition {operator} {key} {}", v.display())));
    }
    (s.effect.as_ref().map(|e| e.value), parts)
}

/// Whether the source at the place of the defect contains the text literally.
fn appears_in_source(cx: &Context<'_>, defect: &Defect, text: &str) -> bool {
    cx.project.sources.slice(defect.span).contains(text)
}

/// Whether the object with the defect already has this key.
fn has_key(d: &Document, defect: &Defect, name: &str) -> bool {
    let statement = defect.statement.and_then(|i| d.statements.get(i));
    let keys = statement.map_or(&d.keys, |s| &s.keys);
    keys.iter().any(|k| k.value == name)
}

/// The key `Sid` of a statement, where it is written with a value of its own.
fn sid_key(s: &Statement) -> Option<Span> {
    let own = s
        .sid
        .as_ref()
        .filter(|sid| sid.via.is_none() && s.span.contains(sid.span))?;
    let mut keys = s.keys.iter().filter(|k| k.span.end <= own.span.start);
    keys.find(|k| k.value.eq_ignore_ascii_case("Sid")).map(|k| k.span)
}
