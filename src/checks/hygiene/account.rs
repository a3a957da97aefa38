//! What an account, a database or a stack is set up without. All of it is for those who ask: profile `audit`.
//! CIS AWS Foundations Benchmark, "Identity and Access Management".

use super::managed::references;
use crate::iam::SourceFormat;
use crate::iam::managed::aws_managed_name;
use crate::model::{Resource, kinds};
use crate::rules::{Context, FindingSink};
use crate::value::{Value, ValueKind};

/// Settings that an account has once: where they are written, the account is set up.
const OF_ACCOUNT: [&str; 4] = [
    kinds::PASSWORD_POLICY,
    "AWS::Config::ConfigurationRecorder",
    "AWS::GuardDuty::Detector",
    "AWS::SecurityHub::Hub",
];

/// Engines with sign-in by IAM. Amazon RDS User Guide, "IAM database authentication for MariaDB, MySQL, and PostgreSQL".
const ENGINES: [&str; 4] = ["aurora", "mariadb", "mysql", "postgres"];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    account(cx, out);
    for (id, r) in cx.project.deployed() {
        match &*r.kind {
            "AWS::RDS::DBCluster" => database(cx, out, (id, r), "EnableIAMDatabaseAuthentication"),
            // Of a cluster's instances the cluster decides.
            "AWS::RDS::DBInstance" if !r.has("DBClusterIdentifier") => {
                database(cx, out, (id, r), "EnableIAMDatabaseAuthentication");
            }
            "AWS::Neptune::DBCluster" => database(cx, out, (id, r), "IamAuthEnabled"),
            // A nested stack takes none.
            "AWS::CloudFormation::Stack"
                if r.format == SourceFormat::Terraform && !r.has("PolicyBody") && !r.has("PolicyUrl") =>
            {
                out.push(
                    cx.at_resource(
                        "cloudformation-stack-no-policy",
                        id,
                        "any update can replace or delete the resources of the stack",
                    )
                    .only_under(r.branch.as_ref())
                    .primary(r.header, "has no stack policy"),
                );
            }
            _ => {}
        }
    }
}

/// An account that is set up without an analyzer, or without a role for those who call AWS's support.
fn account(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let resources = &cx.project.resources;
    let Some(anchor) = resources.iter().position(|r| OF_ACCOUNT.contains(&&*r.kind)) else {
        return;
    };
    let mut push = |rule: &'static str, message: &str, label: &str| {
        let f = cx.at_resource(rule, anchor as u32, message);
        out.push(f.primary(resources[anchor].header, label));
    };
    if !resources.iter().any(|r| &*r.kind == "AWS::AccessAnalyzer::Analyzer") {
        push(
            "access-analyzer-not-enabled",
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
    if &*resources[anchor].kind == kinds::PASSWORD_POLICY && !support {
        push(
            "support-role-missing",
            "no role for AWS Support in the account setup",
            "account setup",
        );
    }
}

fn database(cx: &Context<'_>, out: &mut FindingSink<'_>, (id, r): (u32, &Resource), prop: &str) {
    let engine = r.get("Engine").and_then(Value::as_str);
    let neptune = &*r.kind == "AWS::Neptune::DBCluster";
    if !neptune && !engine.is_some_and(|e| ENGINES.iter().any(|known| e.starts_with(known))) {
        return;
    }
    let at = match r.get(prop).map(|v| (&v.kind, v)) {
        None => r.header,
        Some((ValueKind::Null, _)) => r.header,
        Some((ValueKind::Bool(false), v)) => v.span,
        Some((ValueKind::Str(_), v)) if v.as_str().as_deref() == Some("false") => v.span,
        Some(_) => return,
    };
    out.push(
        cx.at_resource("db-iam-auth-disabled", id, "IAM database authentication is disabled")
            .only_under(r.branch.as_ref())
            .primary(at, "password authentication only"),
    );
}
