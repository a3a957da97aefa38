//! What names suggest about the policies that they are of, and when that is believed.

use crate::iam::kind::is_for_endpoint;
use crate::iam::{Clause, ClauseItem, Document, Effect, LikelyKind, PolicyKind, Statement};
use crate::model::Suggested;

/// What the name of a file, or else of its folder, suggests about the policies in it. A name that also has the word for an
/// identity suggests nothing: `boundary-admin-role`.
pub fn suggestion_of_path(path: &str) -> Option<Suggested> {
    let path = path.to_ascii_lowercase();
    let mut near = path.rsplitn(3, '/');
    let (file, folder) = (near.next()?, near.next().and_then(kind_from_name));
    let by_file = kind_from_name(file);
    let likely = by_file.or(folder)?;
    // `FullAWSAccess` and `RCPFullAWSAccess`.
    let of_aws = file.replace(['-', '_'], "").contains("fullawsaccess");
    Some(Suggested {
        likely,
        for_all: of_aws || folder == Some(likely),
        twice: by_file == folder,
    })
}

/// Of a name in lower case.
fn kind_from_name(name: &str) -> Option<LikelyKind> {
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let has = |all: &[&str]| words.iter().any(|w| all.contains(w));
    let policy = |word: &str| matches!(word, "policy" | "policies");
    let control = |of| words.windows(3).any(|w| w[..2] == [of, "control"] && policy(w[2]));
    let endpoint = |word: &str| matches!(word, "endpoint" | "endpoints");
    let pair = |w: &[&str]| w[0] == "vpc" && endpoint(w[1]) || endpoint(w[0]) && policy(w[1]);
    if has(&["role", "roles", "user", "users", "group", "groups"]) {
        None
    } else if has(&["scp", "scps"]) || control("service") {
        Some(LikelyKind::Kind(PolicyKind::Scp))
    } else if has(&["rcp", "rcps"]) || control("resource") {
        Some(LikelyKind::Kind(PolicyKind::Rcp))
    } else if has(&["boundary", "boundaries"]) {
        Some(LikelyKind::Kind(PolicyKind::Boundary))
    } else if has(&["vpce", "vpces", "vpcendpoint", "vpcendpoints"]) || words.windows(2).any(pair) {
        Some(LikelyKind::Endpoint)
    } else {
        None
    }
}

/// What the name of a policy inside a file suggests: `data.aws_iam_policy_document.s3_vpc_endpoint`. A document of the language
/// of the file is put to use somewhere, which says what it is: only of an endpoint's policy is that often not in view.
pub(super) fn suggestion_of_name(name: &str) -> Option<Suggested> {
    let likely = kind_from_name(&name.to_ascii_lowercase()).filter(|l| *l == LikelyKind::Endpoint)?;
    Some(Suggested {
        likely,
        for_all: false,
        twice: false,
    })
}

/// Takes the name of a file at its word where the document agrees with it, and where that hides nothing: it allows nothing, or
/// only all of everything in a folder of control policies, as `FullAWSAccess` and `RCPFullAWSAccess` of Organizations do; or
/// file and folder both say that it is a control policy. Of any other document that may be what its name suggests, findings
/// mention the name.
pub(super) fn suggest(d: &mut Document, suggested: Option<Suggested>) {
    let Some(suggested) = suggested.filter(|_| !d.statements.is_empty()) else {
        return;
    };
    let kind = match suggested.likely {
        LikelyKind::Kind(kind) => kind,
        LikelyKind::Endpoint => return d.suggested = Some(LikelyKind::Endpoint),
    };
    let named = |s: &Statement| s.principal.is_some() || s.keys.is_empty();
    let agrees = match kind {
        PolicyKind::Rcp => d.statements.iter().all(named),
        _ => d.statements.iter().all(|s| s.principal.is_none()),
    };
    let denies = |s: &Statement| matches!(&s.effect, Some(e) if e.value == Effect::Deny);
    let is_star = |c: &Option<Clause>| {
        let star = |i: &ClauseItem| i.text.known().as_deref() == Some("*");
        c.as_ref().is_some_and(|c| !c.negated && c.items.iter().any(star))
    };
    let is_all = |s: &Statement| is_star(&s.action) && is_star(&s.resource) && s.conditions.is_empty();
    let silent = |s: &Statement| denies(s) || suggested.for_all && kind != PolicyKind::Boundary && is_all(s);
    // What bounds nothing is not a boundary.
    let unbounded = kind == PolicyKind::Boundary && d.statements.iter().all(is_all);
    if !agrees || unbounded {
        return;
    }
    let certain = suggested.twice && kind != PolicyKind::Boundary;
    match certain || d.statements.iter().all(silent) {
        true => d.kind = kind,
        false => d.suggested = Some(suggested.likely),
    }
}

/// Of a policy on some resource, by its shape: whether it is one of a VPC endpoint, which the conditions and resources say, or the
/// name together with them. The name alone is mentioned by findings.
pub(super) fn infer_endpoint(d: &mut Document) {
    let by_name = d.suggested == Some(LikelyKind::Endpoint);
    d.suggested = d.suggested.take().filter(|l| *l != LikelyKind::Endpoint);
    if d.kind != PolicyKind::Resource {
        return;
    }
    match is_for_endpoint(&d.statements, by_name) {
        Some(true) => d.service = Some("ec2".into()),
        Some(false) => d.suggested = Some(LikelyKind::Endpoint),
        None if by_name => d.suggested = Some(LikelyKind::Endpoint),
        None => {}
    }
}
