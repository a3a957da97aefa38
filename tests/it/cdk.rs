//! Policies that CDK code in Python makes: all rules see them, and point at the Python.

use overgrant::internals::iam;
use overgrant::internals::pipeline::{Analysis, analyze};
use overgrant::internals::source::Sources;

use crate::support::lint::found;

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
fn in_stack(body: &str) -> Vec<String> {
    let code: String = body.lines().map(|l| format!("        {l}\n")).collect();
    let code = format!(
        r"from aws_cdk import Stack, aws_iam as iam, aws_s3 as s3


class App(Stack):
    def make(self):
{code}"
    );
    in_module(&code)
}

fn in_module(code: &str) -> Vec<String> {
    let (sources, findings) = found(&[("app.py", code)]);
    let mut out: Vec<String> = findings
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
        let code = format!(
            r"{import}
S = {name}(actions=['s3:*'], resources=['*'])
"
        );
        assert_eq!(in_module(&code), ["service-wildcard 's3:*'"], "{import}");
    }
    let other = r"from acme.audit import PolicyStatement
S = PolicyStatement(actions=['s3:*'], resources=['*'])
";
    assert_eq!(in_module(other), [] as [&str; 0]);
}

#[test]
fn documents_and_roles_hold_statements() {
    assert_eq!(
        in_stack("role.add_to_policy(iam.PolicyStatement(actions=['*'], resources=['*']))"),
        ["admin-star-star '*'"]
    );
    assert_eq!(
        in_stack(
            "iam.PolicyDocument(statements=[iam.PolicyStatement(effect=iam.Effect.ALLOW, actions=['kms:*'], resources=['*'])])"
        ),
        ["service-wildcard 'kms:*'"]
    );
    assert_eq!(
        in_stack("iam.PolicyStatement.from_json({'Effect': 'Allow', 'Action': 'kms:*', 'Resource': '*'})"),
        ["service-wildcard 'kms:*'"]
    );
    assert_eq!(
        in_stack("iam.PolicyStatement(effect=iam.Effect.DENY, actions=['*'], resources=['*'])"),
        [] as [&str; 0]
    );
    assert_eq!(
        in_stack("iam.PolicyStatement(effect=effect, actions=['*'], resources=['*'])"),
        [] as [&str; 0]
    );
}

#[test]
fn what_is_added_later() {
    let statement = r"s = iam.PolicyStatement()
s.add_actions('lambda:*')
s.add_all_resources()
";
    assert_eq!(in_stack(statement), ["service-wildcard 'lambda:*'"]);
    let denied = format!("{statement}s.effect = iam.Effect.DENY\n");
    assert_eq!(in_stack(&denied), [] as [&str; 0]);
    assert_eq!(
        in_stack(
            r"s = iam.PolicyStatement(actions=['s3:GetObject'], resources=['arn:aws:s3:::b/*'])
s.add_any_principal()
bucket.add_to_resource_policy(s)
"
        ),
        ["resource-policy-public s.add_any_principal()"]
    );
    assert_eq!(
        in_stack(
            r"s = iam.PolicyStatement(actions=['s3:GetObject'], resources=['arn:aws:s3:::b/*'])
s.add_any_principal()
s.add_condition('StringEquals', {'aws:PrincipalOrgID': 'o-a1b2c3d4e5'})
bucket.add_to_resource_policy(s)
"
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
        format!(
            r"{role}
role.add_to_policy({all})
role.add_to_policy({none})"
        ),
        format!(
            r"{role}
role.add_to_policy({all})
role.add_to_principal_policy({none})"
        ),
        format!(
            r"self.{role}
self.role.add_to_policy({all})
self.role.add_to_policy({none})"
        ),
        format!(
            r"self.role.add_to_policy({all})
self.role.add_to_policy({none})"
        ),
        format!(
            r"self.fn.role.add_to_policy({all})
self.fn.role.add_to_policy({none})"
        ),
        format!(
            r"{role}
f = Function(self, 'F', role=role)
role.add_to_policy({all})
f.add_to_role_policy({none})"
        ),
        format!(
            r"f = Function(self, 'F', initial_policy=[{all}])
f.add_to_role_policy({none})"
        ),
        document.clone(),
        format!("iam.Role(self, 'R', assumed_by=who, inline_policies={{'p': {document}}})"),
        format!(
            r"role = iam.Role(self, 'R', assumed_by=who, inline_policies={{'p': iam.PolicyDocument(statements=[{all}])}})
role.add_to_policy({none})"
        ),
        format!(
            r"d = iam.PolicyDocument()
d.add_statements({all})
d.add_statements({none})"
        ),
        format!(
            r"d = iam.PolicyDocument()
d.add_statements({all}, {none})"
        ),
        format!("iam.Policy(self, 'P', statements=[{all}, {none}])"),
        format!("iam.ManagedPolicy(self, 'P', document={document})"),
        format!(
            r"{role}
role.attach_inline_policy(iam.Policy(self, 'P', statements=[{none}]))
role.add_to_policy({all})"
        ),
        format!(
            r"{role}
iam.Policy(self, 'P', statements=[{none}], roles=[role])
role.add_to_policy({all})"
        ),
        format!(
            r"a = {all}
b = {none}
iam.PolicyDocument(statements=[a, b])"
        ),
        format!(
            r"many = [{all}]
many.append({none})
iam.PolicyDocument(statements=many)"
        ),
        format!("iam.PolicyDocument(statements=[{all}] + [{none}])"),
        format!(
            r"more = [{none}]
iam.PolicyDocument(statements=[{all}, *more])"
        ),
        format!(
            r"{role}
for s in names:
    role.add_to_policy({all})
role.add_to_policy({none})"
        ),
        format!(
            r"def no():
    return {none}
{role}
role.add_to_policy({all})
role.add_to_policy(no())"
        ),
    ] {
        assert_eq!(in_stack(&together), [] as [&str; 0], "{together}");
    }
    let other = role.replace("role =", "other =");
    for apart in [
        format!(
            r"{role}
{other}
role.add_to_policy({all})
other.add_to_policy({none})"
        ),
        format!(
            r"{role}
role.add_to_policy({all})
{role}
role.add_to_policy({none})"
        ),
        format!(
            r"{role}
role.add_to_policy({all})
if strict:
    role.add_to_policy({none})"
        ),
        format!(
            r"a.role.add_to_policy({all})
b.role.add_to_policy({none})"
        ),
        format!(
            r"many = [{all}]
if strict:
    many.append({none})
iam.PolicyDocument(statements=many)"
        ),
        format!(
            r"iam.PolicyDocument(statements=[{all}])
iam.PolicyDocument(statements=[{none}])"
        ),
        format!("iam.PolicyDocument(statements=[{all}, make()])"),
    ] {
        assert_eq!(in_stack(&apart), ["service-wildcard 'kms:*'"], "{apart}");
    }
}

#[test]
fn what_is_put_into_the_policy_of_a_resource() {
    let open = "iam.PolicyStatement(actions=['s3:GetObject'], resources=['arn:aws:s3:::b/*'], principals=[iam.AnyPrincipal()])";
    let denied = open.replace("actions", "effect=iam.Effect.DENY, actions");
    let bucket = "bucket = s3.Bucket(self, 'B')";
    let code = format!(
        r"from aws_cdk import aws_iam as iam, aws_s3 as s3
{bucket}
bucket.add_to_resource_policy({open})
bucket.add_to_resource_policy({denied})
"
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
        in_stack(&format!(
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
    let by = |principal: &str| in_stack(&format!("iam.Role(self, 'R', assumed_by={principal})"));
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
        in_stack(
            "iam.Role(self, 'R', assumed_by=who, managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name('AdministratorAccess')])"
        ),
        ["managed-administrator-access 'AdministratorAccess'"]
    );
}
