//! What an account is set up without. All of it is for those who ask: profile `audit`.
//! CIS AWS Foundations Benchmark, "Identity and Access Management".

use super::managed::references;
use crate::iam::managed::aws_managed_name;
use crate::model::kinds;
use crate::rules::{Context, FindingSink, RuleId, ids};

/// Settings that an account has once: where they are written, the account is set up.
const OF_ACCOUNT: [&str; 4] = [
    kinds::PASSWORD_POLICY,
    "AWS::Config::ConfigurationRecorder",
    "AWS::GuardDuty::Detector",
    "AWS::SecurityHub::Hub",
];

/// An account that is set up without an analyzer, or without a role for those who call AWS's support.
pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let resources = &cx.project.resources;
    let mut all = resources.iter_enumerated();
    let Some((id, anchor)) = all.find(|(_, r)| OF_ACCOUNT.contains(&&*r.kind)) else {
        return;
    };
    let mut push = |rule: RuleId, message: &str, label: &str| {
        let f = cx.at_resource(rule, id, message);
        out.push(f.primary(anchor.header, label));
    };
    if !resources.iter().any(|r| &*r.kind == "AWS::AccessAnalyzer::Analyzer") {
        push(
            ids::ACCESS_ANALYZER_NOT_ENABLED,
            "no IAM Access Analyzer in the account setup",
            "account setup",
        );
    }
    let mut support = false;
    for r in resources {
        references(r, &mut |value, _| {
            let name = value.as_text().and_then(aws_managed_name);
            // What is no resource of the repository's and not known may be the policy.
            let unseen = value.as_hole().is_some_and(|h| h.target.is_none());
            support |= unseen || name.is_some_and(|n| n == "AWSSupportAccess");
        });
    }
    if &*anchor.kind == kinds::PASSWORD_POLICY && !support {
        push(
            ids::SUPPORT_ROLE_MISSING,
            "no role for AWS Support in the account setup",
            "account setup",
        );
    }
}
