//! Elements that a statement must, can, or cannot have, by policy type.
//! IAM User Guide, "IAM JSON policy elements reference".

use crate::finding::{Remedy, RemedyStep};
use crate::iam::{Document, DocumentOrigin, PolicyKind, Statement};
use crate::project::DocumentId;
use crate::rules::{Context, FindingSink};
use crate::source::{Hole, HoleKind, Piece, Text};
use crate::value::{Value, ValueKind};

/// The current version of the policy language.
const VERSION: &str = "2012-10-17";

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, d) in cx.documents() {
        if d.origin != DocumentOrigin::Written {
            continue;
        }
        version(cx, out, id, d);
        for (i, s) in d.statements.iter().enumerate() {
            required(cx, out, (id, d), (i, s));
            forbidden(cx, out, (id, d), (i, s));
            sid(cx, out, (id, d), (i, s));
        }
    }
}

fn version(cx: &Context<'_>, out: &mut FindingSink<'_>, id: DocumentId, d: &Document) {
    let open = d.keys.iter().any(|k| k.value.contains("${"));
    match &d.version {
        None if !open && !d.keys.iter().any(|k| k.value == "Version") => {
            let span = d.statement_key.unwrap_or(d.span);
            let f = cx
                .at_document(
                    "missing-version",
                    id,
                    "the policy has no `Version`, so AWS evaluates it as `2008-10-17`",
                )
                .primary(span, "no `Version` next to this");
            out.push(match d.keys.first() {
                Some(first) => f.remedy(newer(d, "add").change(RemedyStep::Enter {
                    beside: first.span,
                    before: true,
                    key: "Version".to_owned(),
                    value: VERSION.into(),
                })),
                None => f,
            });
        }
        Some(v) if v.text.known().as_deref() == Some("2008-10-17") => {
            let f = cx
                .at_document("old-version", id, "the policy uses the outdated version `2008-10-17`")
                .primary(v.span, "policy variables are literal text in this version");
            out.push(match cx.is_literal(v) {
                true => f.remedy(newer(d, "write").replace(v.span, [VERSION])),
                false => f,
            });
        }
        _ => {}
    }
}

/// The fix that sets the current version: safe if no part of the policy changes its meaning. IAM User Guide, "IAM JSON
/// policy elements: Version".
fn newer(d: &Document, verb: &str) -> Remedy {
    let title = format!("{verb} version `{VERSION}`");
    if !may_read_otherwise(&d.value) {
        Remedy::safe(title)
    } else {
        Remedy::risky(title)
    }
}

/// Whether a part of the document contains `${`, or may contain it once its values are known.
fn may_read_otherwise(document: &Value) -> bool {
    let is_open = |h: &Hole| matches!(h.kind, HoleKind::Input | HoleKind::Dynamic | HoleKind::Other);
    let in_text = |t: &Text| {
        t.pieces().iter().any(|p| match p {
            Piece::Lit(lit) => lit.text.contains("${"),
            Piece::Hole(hole) => is_open(hole),
        })
    };
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        match &value.kind {
            ValueKind::Str(t) if in_text(t) => return true,
            ValueKind::Unknown(hole) if is_open(hole) => return true,
            ValueKind::Seq(items) => open.extend(items.iter()),
            ValueKind::Map(entries) => {
                if entries.iter().any(|e| in_text(&e.key)) {
                    return true;
                }
                open.extend(entries.iter().map(|e| &e.value));
            }
            ValueKind::Json(inner) => open.push(inner),
            ValueKind::OneOf(branches) => open.extend(branches.iter().map(|b| &b.value)),
            _ => {}
        }
    }
    false
}

fn required(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    (id, d): (DocumentId, &Document),
    (i, s): (usize, &Statement),
) {
    if s.open {
        return;
    }
    let has = |name: &str| s.keys.iter().any(|k| k.value == name);
    if !has("Action") && !has("NotAction") {
        out.push(
            cx.at_statement("missing-action", id, i, "the statement has no `Action`")
                .primary(s.span, "needs `Action` or `NotAction`"),
        );
    }
    let needs_resource = matches!(
        d.kind,
        PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session | PolicyKind::Scp | PolicyKind::Rcp
    );
    if needs_resource && !has("Resource") && !has("NotResource") {
        out.push(
            cx.at_statement("missing-resource", id, i, "the statement has no `Resource`")
                .primary(s.span, "needs `Resource` or `NotResource`"),
        );
    }
    if d.kind.has_principal() && !has("Principal") && !has("NotPrincipal") {
        out.push(
            cx.at_statement("missing-principal", id, i, "the statement has no `Principal`")
                .primary(s.span, "needs `Principal` or `NotPrincipal`"),
        );
    }
}

fn forbidden(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    (id, d): (DocumentId, &Document),
    (i, s): (usize, &Statement),
) {
    if let Some(p) = s.principal.as_ref().filter(|p| !p.is_vague())
        && matches!(
            d.kind,
            PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session
        )
    {
        out.push(
            cx.at_statement(
                "principal-in-identity-policy",
                id,
                i,
                "an identity-based policy cannot contain `Principal`",
            )
            .primary(p.key, "IAM rejects the policy because of this"),
        );
    }
    if let Some(r) = s.resource.as_ref().filter(|r| !r.is_vague())
        && d.kind == PolicyKind::Trust
    {
        out.push(
            cx.at_statement("trust-has-resource", id, i, "a trust policy cannot contain `Resource`")
                .primary(r.key, "IAM rejects the policy because of this"),
        );
    }
}

fn sid(cx: &Context<'_>, out: &mut FindingSink<'_>, (id, d): (DocumentId, &Document), (i, s): (usize, &Statement)) {
    let Some(item) = &s.sid else { return };
    let Some(text) = item.text.known() else { return };
    if text.is_empty() {
        // The console writes an empty Sid into trust policies, and AWS accepts it there.
        if d.kind == PolicyKind::Trust {
            return;
        }
        let f = cx
            .at_statement("empty-sid", id, i, "the Sid is empty")
            .primary(item.span, "empty");
        out.push(match s.keys.iter().find(|k| k.value == "Sid") {
            Some(key) if cx.is_literal(item) => f.remedy(Remedy::safe("remove the Sid").remove(key.span)),
            _ => f,
        });
    } else if matches!(
        d.kind,
        PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session
    ) && !text.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        out.push(
            cx.at_statement(
                "invalid-sid",
                id,
                i,
                format!("the Sid `{text}` contains characters other than A-Z, a-z, and 0-9"),
            )
            .primary(item.span, "IAM rejects the policy because of this")
            .other_evidence(text.into_owned()),
        );
    }
}
