//! Policies that CDK code in Python makes: all rules see them, and point at the Python.

use overgrant::iam;
use overgrant::rules::{self, Ruleset, Selection};
use overgrant::source::Sources;
use overgrant::{Analysis, analyse};

/// The rules that these tests ask; the others say more of the same.
const ASKED: &[&str] = &[
    "admin-star-star",
    "managed-administrator-access",
    "oidc-github-sub-wildcard",
    "resource-policy-public",
    "service-wildcard",
    "trust-cross-account-without-external-id",
    "trust-wildcard-principal",
];

/// What is found in the body of a stack, as the rule and the text that it points at.
fn found(body: &str) -> Vec<String> {
    let code: String = body.lines().map(|l| format!("        {l}\n")).collect();
    let code = format!(
        "from aws_cdk import Stack, aws_iam as iam, aws_s3 as s3\n\n\nclass App(Stack):\n    def make(self):\n{code}"
    );
    found_in(&code)
}

fn found_in(code: &str) -> Vec<String> {
    let sources = Sources::from_strings(&[("app.py", code)]);
    let own = iam::Own::default();
    let Analysis { project, .. } = analyse(&sources, &own);
    let ruleset = Ruleset::builtin();
    let outcome = rules::run(&project, &ruleset, &Selection::all(&ruleset));
    let mut out: Vec<String> = outcome
        .findings
        .iter()
        .filter(|f| ASKED.contains(&&*f.rule))
        .map(|f| format!("{} {}", f.rule, sources.slice(f.labels[0].span)))
        .collect();
    out.sort();
    out
}

#[test]
fn the_module_in_every_spelling() {
    for (import, name) in [
        ("import aws_cdk", "aws_cdk.aws_iam.PolicyStatement"),
        ("import aws_cdk as cdk", "cdk.aws_iam.PolicyStatement"),
        ("import aws_cdk.aws_iam as iam", "iam.PolicyStatement"),
        ("from aws_cdk import aws_iam", "aws_iam.PolicyStatement"),
        ("from aws_cdk import (aws_iam as i)", "i.PolicyStatement"),
        ("from aws_cdk.aws_iam import PolicyStatement as PS", "PS"),
    ] {
        let code = format!("{import}\nS = {name}(actions=['s3:*'], resources=['*'])\n");
        assert_eq!(found_in(&code), ["service-wildcard 's3:*'"], "{import}");
    }
    let other = "from acme.audit import PolicyStatement\nS = PolicyStatement(actions=['s3:*'], resources=['*'])\n";
    assert_eq!(found_in(other), [] as [&str; 0]);
}

#[test]
fn documents_and_roles_hold_statements() {
    assert_eq!(
        found("role.add_to_policy(iam.PolicyStatement(actions=['*'], resources=['*']))"),
        ["admin-star-star '*'"]
    );
    assert_eq!(
        found(
            "iam.PolicyDocument(statements=[iam.PolicyStatement(effect=iam.Effect.ALLOW, actions=['kms:*'], resources=['*'])])"
        ),
        ["service-wildcard 'kms:*'"]
    );
    assert_eq!(
        found("iam.PolicyStatement.from_json({'Effect': 'Allow', 'Action': 'kms:*', 'Resource': '*'})"),
        ["service-wildcard 'kms:*'"]
    );
    assert_eq!(
        found("iam.PolicyStatement(effect=iam.Effect.DENY, actions=['*'], resources=['*'])"),
        [] as [&str; 0]
    );
    assert_eq!(
        found("iam.PolicyStatement(effect=effect, actions=['*'], resources=['*'])"),
        [] as [&str; 0]
    );
}

#[test]
fn what_is_added_later() {
    let statement = "s = iam.PolicyStatement()\ns.add_actions('lambda:*')\ns.add_all_resources()\n";
    assert_eq!(found(statement), ["service-wildcard 'lambda:*'"]);
    let denied = format!("{statement}s.effect = iam.Effect.DENY\n");
    assert_eq!(found(&denied), [] as [&str; 0]);
    assert_eq!(
        found(
            "s = iam.PolicyStatement(actions=['s3:GetObject'], resources=['arn:aws:s3:::b/*'])\ns.add_any_principal()\nbucket.add_to_resource_policy(s)\n"
        ),
        ["resource-policy-public s.add_any_principal()"]
    );
    assert_eq!(
        found(
            "s = iam.PolicyStatement(actions=['s3:GetObject'], resources=['arn:aws:s3:::b/*'])\ns.add_any_principal()\ns.add_condition('StringEquals', {'aws:PrincipalOrgID': 'o-a1b2c3d4e5'})\nbucket.add_to_resource_policy(s)\n"
        ),
        [] as [&str; 0]
    );
}

#[test]
fn principals_of_resource_policies() {
    let with = |principal: &str| {
        found(&format!(
            "bucket.add_to_resource_policy(iam.PolicyStatement(actions=['s3:GetObject'], resources=['arn:aws:s3:::b/*'], principals=[{principal}]))"
        ))
    };
    for open in [
        "iam.AnyPrincipal()",
        "iam.StarPrincipal()",
        "iam.ArnPrincipal('*')",
        "iam.PrincipalWithConditions(iam.AnyPrincipal(), {'StringLike': {'aws:SourceArn': '*'}})",
    ] {
        let found = with(open);
        assert!(
            found.iter().any(|f| f.starts_with("resource-policy-public ")),
            "{open}: {found:?}"
        );
    }
    for closed in [
        "iam.AccountRootPrincipal()",
        "iam.OrganizationPrincipal('o-a1b2c3d4e5')",
        "iam.AnyPrincipal().with_conditions({'StringEquals': {'aws:PrincipalOrgID': 'o-a1b2c3d4e5'}})",
        "who",
    ] {
        assert_eq!(with(closed), [] as [&str; 0], "{closed}");
    }
}

#[test]
fn the_trust_of_roles() {
    let by = |principal: &str| found(&format!("iam.Role(self, 'R', assumed_by={principal})"));
    assert_eq!(
        by("iam.AnyPrincipal()"),
        ["trust-wildcard-principal iam.AnyPrincipal()"]
    );
    assert_eq!(
        by("iam.CompositePrincipal(iam.ServicePrincipal('lambda'), iam.ArnPrincipal('*'))"),
        ["trust-wildcard-principal '*'"]
    );
    assert_eq!(
        by("iam.AccountPrincipal('444455556666')"),
        ["trust-cross-account-without-external-id '444455556666'"]
    );
    assert_eq!(
        by("iam.AccountPrincipal('444455556666'), external_ids=['b7f3a1c2']"),
        [] as [&str; 0]
    );
    assert_eq!(by("iam.ServicePrincipal('lambda.amazonaws.com')"), [] as [&str; 0]);
    assert_eq!(by("make_principal()"), [] as [&str; 0]);
    let github = "iam.OpenIdConnectPrincipal(provider)";
    assert_eq!(by(github), [] as [&str; 0]);
    assert_eq!(
        by(
            "iam.WebIdentityPrincipal('arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com', {'StringLike': {'token.actions.githubusercontent.com:sub': 'repo:*', 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com'}})"
        ),
        ["oidc-github-sub-wildcard 'repo:*'"]
    );
}

#[test]
fn managed_policies_by_name() {
    assert_eq!(
        found(
            "iam.Role(self, 'R', assumed_by=who, managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name('AdministratorAccess')])"
        ),
        ["managed-administrator-access 'AdministratorAccess'"]
    );
}
