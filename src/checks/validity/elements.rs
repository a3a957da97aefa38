//! The version of the policy language.
//! IAM User Guide, "IAM JSON policy elements: Version".

use crate::finding::{Remedy, RemedyStep};
use crate::iam::{Document, DocumentOrigin};
use crate::project::DocumentId;
use crate::rules::{Context, FindingSink, ids};
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
    }
}

fn version(cx: &Context<'_>, out: &mut FindingSink<'_>, id: DocumentId, d: &Document) {
    let open = d.keys.iter().any(|k| k.value.contains("${"));
    match &d.version {
        None if !open && !d.keys.iter().any(|k| k.value == "Version") => {
            let span = d.statement_key.unwrap_or(d.span);
            let f = cx
                .at_document(
                    ids::MISSING_VERSION,
                    id,
                    "the policy has no `Version`, so AWS evaluates it as `2008-10-17`",
                )
                .primary(span, "no `Version` next to this");
            let mut f = f;
            f.remedies.extend(current_version(cx, d));
            out.push(f);
        }
        Some(v) if v.text.known().as_deref() == Some("2008-10-17") => {
            let f = cx
                .at_document(
                    ids::OLD_VERSION,
                    id,
                    "the policy uses the outdated version `2008-10-17`",
                )
                .primary(v.span, "policy variables are literal text in this version");
            let mut f = f;
            f.remedies.extend(current_version(cx, d));
            out.push(f);
        }
        _ => {}
    }
}

/// The fix that writes or adds the current version.
pub(super) fn current_version(cx: &Context<'_>, d: &Document) -> Option<Remedy> {
    match &d.version {
        Some(v) if cx.is_literal(v) => Some(set_current_version(d, "write").replace(v.span, [VERSION])),
        Some(_) => None,
        None => Some(set_current_version(d, "add").change(RemedyStep::Enter {
            beside: d.keys.first()?.span,
            before: true,
            key: "Version".to_owned(),
            value: VERSION.into(),
        })),
    }
}

/// The fix that sets the current version: safe if no part of the policy changes its meaning. IAM User Guide, "IAM JSON
/// policy elements: Version".
fn set_current_version(d: &Document, verb: &str) -> Remedy {
    let title = format!("{verb} version `{VERSION}`");
    if !may_contain_variable(&d.value) {
        Remedy::safe(title)
    } else {
        // Variables take effect.
        Remedy::granting(title)
    }
}

/// Whether a part of the document contains `${`, or may contain it once its values are known.
fn may_contain_variable(document: &Value) -> bool {
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
