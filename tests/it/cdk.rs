//! Policies that CDK code in Python makes: all rules see them, and point at the Python.

use overgrant::internals::iam;
use overgrant::internals::pipeline::{Analysis, analyze};
use overgrant::internals::rules::{self, Ruleset, Selection};
use overgrant::internals::source::Sources;

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
    let own = iam::Ownership::default();
    let Analysis { project, .. } = analyze(&sources, &own);
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
fn what_is_put_into_one_thing_is_one_policy() {
    let all = "iam.PolicyStatement(actions=['kms:*'], resources=['*'])";
    let none = "iam.PolicyStatement(effect=iam.Effect.DENY, actions=['kms:*'], resources=['*'])";
    let role = "role = iam.Role(self, 'R', assumed_by=iam.ServicePrincipal('ec2.amazonaws.com'))";
    let document = format!("iam.PolicyDocument(statements=[{all}, {none}])");
    for together in [
        format!("{role}\nrole.add_to_policy({all})\nrole.add_to_policy({none})"),
        format!("{role}\nrole.add_to_policy({all})\nrole.add_to_principal_policy({none})"),
        format!("self.{role}\nself.role.add_to_policy({all})\nself.role.add_to_policy({none})"),
        format!("self.role.add_to_policy({all})\nself.role.add_to_policy({none})"),
        format!("self.fn.role.add_to_policy({all})\nself.fn.role.add_to_policy({none})"),
        format!("{role}\nf = Function(self, 'F', role=role)\nrole.add_to_policy({all})\nf.add_to_role_policy({none})"),
        format!("f = Function(self, 'F', initial_policy=[{all}])\nf.add_to_role_policy({none})"),
        document.clone(),
        format!("iam.Role(self, 'R', assumed_by=who, inline_policies={{'p': {document}}})"),
        format!(
            "role = iam.Role(self, 'R', assumed_by=who, inline_policies={{'p': iam.PolicyDocument(statements=[{all}])}})\nrole.add_to_policy({none})"
        ),
        format!("d = iam.PolicyDocument()\nd.add_statements({all})\nd.add_statements({none})"),
        format!("d = iam.PolicyDocument()\nd.add_statements({all}, {none})"),
        format!("iam.Policy(self, 'P', statements=[{all}, {none}])"),
        format!("iam.ManagedPolicy(self, 'P', document={document})"),
        format!(
            "{role}\nrole.attach_inline_policy(iam.Policy(self, 'P', statements=[{none}]))\nrole.add_to_policy({all})"
        ),
        format!("{role}\niam.Policy(self, 'P', statements=[{none}], roles=[role])\nrole.add_to_policy({all})"),
        format!("a = {all}\nb = {none}\niam.PolicyDocument(statements=[a, b])"),
        format!("many = [{all}]\nmany.append({none})\niam.PolicyDocument(statements=many)"),
        format!("iam.PolicyDocument(statements=[{all}] + [{none}])"),
        format!("more = [{none}]\niam.PolicyDocument(statements=[{all}, *more])"),
        format!("{role}\nfor s in names:\n    role.add_to_policy({all})\nrole.add_to_policy({none})"),
        format!("def no():\n    return {none}\n{role}\nrole.add_to_policy({all})\nrole.add_to_policy(no())"),
    ] {
        assert_eq!(found(&together), [] as [&str; 0], "{together}");
    }
    let other = role.replace("role =", "other =");
    for apart in [
        format!("{role}\n{other}\nrole.add_to_policy({all})\nother.add_to_policy({none})"),
        format!("{role}\nrole.add_to_policy({all})\n{role}\nrole.add_to_policy({none})"),
        format!("{role}\nrole.add_to_policy({all})\nif strict:\n    role.add_to_policy({none})"),
        format!("a.role.add_to_policy({all})\nb.role.add_to_policy({none})"),
        format!("many = [{all}]\nif strict:\n    many.append({none})\niam.PolicyDocument(statements=many)"),
        format!("iam.PolicyDocument(statements=[{all}])\niam.PolicyDocument(statements=[{none}])"),
        format!("iam.PolicyDocument(statements=[{all}, make()])"),
    ] {
        assert_eq!(found(&apart), ["service-wildcard 'kms:*'"], "{apart}");
    }
}

#[test]
fn what_is_put_into_the_policy_of_a_resource() {
    let open = "iam.PolicyStatement(actions=['s3:GetObject'], resources=['arn:aws:s3:::b/*'], principals=[iam.AnyPrincipal()])";
    let denied = open.replace("actions", "effect=iam.Effect.DENY, actions");
    let bucket = "bucket = s3.Bucket(self, 'B')";
    let code = format!(
        "from aws_cdk import aws_iam as iam, aws_s3 as s3\n{bucket}\nbucket.add_to_resource_policy({open})\nbucket.add_to_resource_policy({denied})\n"
    );
    let sources = Sources::from_strings(&[("app.py", &*code)]);
    let own = iam::Ownership::default();
    let Analysis { project, .. } = analyze(&sources, &own);
    let policies = project.documents.iter();
    let policies: Vec<_> = policies.map(|d| (d.service.as_deref(), d.statements.len())).collect();
    assert_eq!(policies, [(Some("s3"), 2)]);
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
