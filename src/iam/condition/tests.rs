use super::super::pattern::tests::text;
use super::super::{ClauseItem, Condition};
use super::*;
use crate::source::{FileId, Hole, HoleKind, HoleTarget, Text};

mod given;

fn item(t: Text) -> ClauseItem {
    ClauseItem::new(t, Span::NOWHERE)
}

fn condition(operator: &str, key: &str, values: Vec<Text>) -> Condition {
    Condition {
        list: values.len() != 1,
        values: values.into_iter().map(item).collect(),
        ..Condition::new(item(text(operator)), item(text(key)), Span::NOWHERE)
    }
}

fn one(operator: &str, key: &str, values: &[&str]) -> WeighedCondition {
    let c = condition(operator, key, values.iter().map(|v| text(v)).collect());
    strength_of(&[c], StatementCallers::Named).bounds.remove(0)
}

#[test]
fn who_asks() {
    use Grade::*;
    for (operator, key, values, grade) in [
        ("StringEquals", "aws:PrincipalOrgID", &["o-a1b2c3d4e5"][..], Pins),
        ("StringEquals", "AWS:principalorgid", &["‹v›"], Pins),
        ("StringLike", "aws:PrincipalOrgID", &["o-*"], Decoration),
        ("StringLike", "aws:PrincipalOrgID", &["*"], Decoration),
        ("StringNotEquals", "aws:PrincipalOrgID", &["o-a1b2c3d4e5"], Decoration),
        (
            "StringEqualsIfExists",
            "aws:PrincipalOrgID",
            &["o-a1b2c3d4e5"],
            Decoration,
        ),
        (
            "ForAnyValue:StringLike",
            "aws:PrincipalOrgPaths",
            &["o-a1b2c3d4e5/*"],
            Pins,
        ),
        (
            "ForAnyValue:StringLike",
            "aws:PrincipalOrgPaths",
            &["o-*/r-1/*"],
            Decoration,
        ),
        (
            "ForAllValues:StringLike",
            "aws:PrincipalOrgPaths",
            &["o-a1b2c3d4e5/*"],
            Decoration,
        ),
        ("StringEquals", "aws:SourceAccount", &["123456789012"], Pins),
        ("StringEquals", "aws:SourceAccount", &["‹account›"], Pins),
        ("StringLike", "aws:SourceAccount", &["123*"], Narrows),
        ("StringLike", "aws:SourceAccount", &["123456789012", "*"], Decoration),
        (
            "StringEquals",
            "aws:PrincipalAccount",
            &["${aws:PrincipalAccount}"],
            Decoration,
        ),
        ("ArnLike", "aws:SourceArn", &["arn:aws:sns:*:123456789012:*"], Pins),
        ("ArnLike", "aws:SourceArn", &["arn:aws:sns:us-east-1:‹account›:t"], Pins),
        ("ArnLike", "aws:SourceArn", &["arn:aws:s3:::bucket"], Narrows),
        ("ArnLike", "aws:SourceArn", &["arn:aws:s3:::*"], Decoration),
        ("ArnLike", "aws:SourceArn", &["arn:aws:s3:*:*:*"], Decoration),
        ("ArnLike", "aws:SourceArn", &["*"], Decoration),
        ("ArnLike", "aws:SourceArn", &["‹v›"], Pins),
        ("ArnLike", "aws:SourceArn", &["‹v›:*"], Narrows),
        ("ArnLike", "aws:PrincipalArn", &["‹v›"], Pins),
        ("ArnLike", "aws:PrincipalArn", &["arn:aws:iam::‹v›:role/x"], Pins),
        ("ArnLike", "aws:PrincipalArn", &["arn:aws:iam::*:role/‹v›"], Narrows),
        (
            "ArnLike",
            "aws:PrincipalArn",
            &["arn:aws:iam::111122223333:role/x", "*"],
            Decoration,
        ),
        ("ArnEquals", "aws:PrincipalArn", &["arn:aws:iam::*:role/x"], Narrows),
        (
            "ArnLike",
            "aws:PrincipalArn",
            &["arn:aws:iam::????????????:role/*"],
            Decoration,
        ),
        ("ArnEquals", "aws:PrincipalArn", &["arn:aws:iam::*:role/*"], Decoration),
        ("StringEquals", "aws:SourceVpce", &["vpce-0a1b2c3d"], Pins),
        ("StringLike", "aws:SourceVpce", &["vpce-*"], Decoration),
        ("StringEquals", "aws:SourceVpc", &["‹v›"], Pins),
        ("Null", "aws:SourceVpce", &["false"], Decoration),
        ("StringLike", "aws:userId", &["AROAEXAMPLEID12345678:*"], Pins),
        ("Bool", "elasticfilesystem:AccessedViaMountTarget", &["true"], Pins),
        ("StringEquals", "sts:ExternalId", &["8d1f"], Narrows),
        ("StringLike", "sts:ExternalId", &["*"], Decoration),
        (
            "StringEquals",
            "SAML:aud",
            &["https://signin.aws.amazon.com/saml"],
            Narrows,
        ),
        (
            "StringEquals",
            "token.actions.githubusercontent.com:sub",
            &["repo:a/b:ref:refs/heads/main"],
            Pins,
        ),
        (
            "StringLike",
            "token.actions.githubusercontent.com:sub",
            &["repo:a/b:*"],
            Pins,
        ),
        (
            "StringLike",
            "token.actions.githubusercontent.com:sub",
            &["repo:*"],
            Decoration,
        ),
        (
            "StringLike",
            "token.actions.githubusercontent.com:sub",
            &["*"],
            Decoration,
        ),
        ("StringEquals", "‹provider›:aud", &["sts.amazonaws.com"], Narrows),
    ] {
        let bound = one(operator, key, values);
        assert_eq!(
            (bound.facet, bound.grade),
            (Facet::Who, grade),
            "{operator} {key} {values:?}"
        );
        assert_eq!(
            bound.grade == Decoration,
            bound.weakness.is_some() && grade == Decoration
        );
    }
}

#[test]
fn everything_else() {
    use Facet::*;
    use Grade::*;
    for (operator, key, values, facet, grade) in [
        ("IpAddress", "aws:SourceIp", &["203.0.113.0/24"][..], From, Narrows),
        ("IpAddress", "aws:SourceIp", &["0.0.0.0/0"], From, Decoration),
        (
            "IpAddress",
            "aws:SourceIp",
            &["::/0", "203.0.113.0/24"],
            From,
            Decoration,
        ),
        (
            "IpAddress",
            "aws:SourceIp",
            &["0.0.0.0/1", "128.0.0.0/1"],
            From,
            Decoration,
        ),
        ("NotIpAddress", "aws:SourceIp", &["203.0.113.0/24"], From, Decoration),
        ("IpAddress", "aws:SourceIp", &["‹v›"], From, Narrows),
        ("Bool", "aws:MultiFactorAuthPresent", &["true"], Mfa, Narrows),
        ("Bool", "aws:MultiFactorAuthPresent", &["false"], Mfa, Decoration),
        ("BoolIfExists", "aws:MultiFactorAuthPresent", &["true"], Mfa, Decoration),
        ("NumericLessThan", "aws:MultiFactorAuthAge", &["3600"], Mfa, Narrows),
        ("Null", "aws:MultiFactorAuthAge", &["false"], Mfa, Narrows),
        (
            "StringEquals",
            "aws:ResourceAccount",
            &["${aws:PrincipalAccount}"],
            Who,
            Pins,
        ),
        ("StringEquals", "aws:ResourceOrgID", &["${aws:SourceOrgID}"], Who, Pins),
        ("StringEquals", "aws:ResourceOrgID", &["o-a1b2c3d4e5"], Resource, Pins),
        (
            "StringEquals",
            "vpc-lattice-svcs:SourceVpc",
            &["vpc-0a1b2c3d"],
            Who,
            Pins,
        ),
        (
            "StringEquals",
            "vpc-lattice-svcs:RequestHeader/team",
            &["x"],
            Chosen,
            Decoration,
        ),
        (
            "StringEquals",
            "lambda:FunctionUrlAuthType",
            &["NONE"],
            Caller,
            Decoration,
        ),
        (
            "StringEquals",
            "lambda:FunctionUrlAuthType",
            &["AWS_IAM"],
            Caller,
            Narrows,
        ),
        ("StringEquals", "aws:ResourceTag/team", &["x"], Resource, Narrows),
        ("StringLike", "ec2:ResourceTag/team", &["*"], Resource, Narrows),
        ("Null", "aws:ResourceTag/team", &["false"], Resource, Narrows),
        (
            "StringEquals",
            "iam:PassedToService",
            &["ec2.amazonaws.com"],
            Service,
            Narrows,
        ),
        ("StringLike", "iam:PassedToService", &["*"], Service, Decoration),
        (
            "StringLike",
            "iam:PassedToService",
            &["lambda.amazonaws.com", "?*.amazonaws.com"],
            Service,
            Decoration,
        ),
        (
            "StringLike",
            "iam:PassedToService",
            &["*.‹suffix›"],
            Service,
            Decoration,
        ),
        (
            "StringEquals",
            "iam:PassedToService",
            &["*.amazonaws.com"],
            Service,
            Narrows,
        ),
        ("StringLike", "iam:PassedToService", &["lambda*"], Service, Narrows),
        (
            "StringEquals",
            "iam:PassedToService",
            &["glue.‹suffix›"],
            Service,
            Narrows,
        ),
        ("Bool", "aws:SecureTransport", &["true"], Other, Decoration),
        (
            "StringLike",
            "aws:Referer",
            &["https://example.com/*"],
            Other,
            Decoration,
        ),
        ("StringEquals", "s3:prefix", &["home/"], Other, Narrows),
        ("‹v›", "s3:prefix", &["home/"], Other, Narrows),
        (
            "StringEqualsIfExists",
            "aws:RequestedRegion",
            &["eu-west-1"],
            Chosen,
            Decoration,
        ),
    ] {
        let bound = one(operator, key, values);
        assert_eq!(
            (bound.facet, bound.grade),
            (facet, grade),
            "{operator} {key} {values:?}"
        );
    }
}

#[test]
fn a_resource_of_the_repository_pins_as_a_source() {
    let hole = Hole::new(HoleKind::Resource, "Topic.Arn", Span::new(FileId(0), 0, 1)).to(HoleTarget {
        scope: "t".into(),
        address: "Topic".into(),
        attribute: "Arn".into(),
    });
    let s = strength_of(
        &[condition("ArnEquals", "aws:SourceArn", vec![Text::hole(hole)])],
        StatementCallers::Named,
    );
    assert!(s.pins_caller());
    assert_eq!(s.for_public(), Verdict::Silences);
    assert_eq!(s.source(), Grade::Pins);
}

#[test]
fn conditions_hold_together() {
    let ip = condition("IpAddress", "aws:SourceIp", vec![text("203.0.113.0/24")]);
    let tls = condition("Bool", "aws:SecureTransport", vec![text("true")]);
    let s = strength_of(&[ip, tls.clone()], StatementCallers::Open);
    assert_eq!(
        (s.strongest(), s.for_public(), s.for_grant()),
        (Grade::Narrows, Verdict::Lowers, Verdict::Lowers)
    );
    assert_eq!(s.ineffective_conditions().count(), 1);
    let s = strength_of(&[tls], StatementCallers::Open);
    assert_eq!((s.strongest(), s.for_public()), (Grade::Decoration, Verdict::Nothing));
    let all = condition(
        "ForAllValues:StringLike",
        "aws:PrincipalOrgPaths",
        vec![text("o-a1b2c3d4e5/*")],
    );
    let guard = condition("Null", "aws:PrincipalOrgPaths", vec![text("false")]);
    assert!(strength_of(&[all, guard], StatementCallers::Open).pins_caller());
}

/// Each key as it is worth in an identity policy, where accounts are named, and where everyone is let in.
#[test]
fn what_a_key_is_worth_depends_on_whom_the_statement_is_for() {
    use Grade::*;
    for (operator, key, value, holders, named, open) in [
        (
            "StringEquals",
            "aws:PrincipalAccount",
            "111122223333",
            Decoration,
            Pins,
            Pins,
        ),
        (
            "StringEquals",
            "aws:PrincipalOrgID",
            "o-a1b2c3d4e5",
            Decoration,
            Pins,
            Pins,
        ),
        (
            "ArnLike",
            "aws:PrincipalArn",
            "arn:aws:iam::111122223333:role/a-*",
            Decoration,
            Pins,
            Pins,
        ),
        (
            "ArnLike",
            "aws:PrincipalArn",
            "arn:aws:iam::*:role/a-*",
            Decoration,
            Narrows,
            Decoration,
        ),
        (
            "ArnLike",
            "aws:PrincipalArn",
            "arn:aws:iam::????????????:role/a-*",
            Decoration,
            Narrows,
            Decoration,
        ),
        (
            "ArnLike",
            "aws:PrincipalArn",
            "arn:aws:iam::1111????????:role/a-*",
            Decoration,
            Narrows,
            Narrows,
        ),
        (
            "StringEquals",
            "aws:FederatedProvider",
            "accounts.google.com",
            Decoration,
            Narrows,
            Narrows,
        ),
        (
            "StringEquals",
            "aws:SourceIdentity",
            "ann",
            Decoration,
            Decoration,
            Decoration,
        ),
        (
            "ArnLike",
            "ec2:SourceInstanceARN",
            "arn:aws:ec2:*:111122223333:instance/*",
            Decoration,
            Pins,
            Pins,
        ),
        (
            "StringEquals",
            "saml:aud",
            "https://signin.aws.amazon.com/saml",
            Decoration,
            Narrows,
            Narrows,
        ),
        (
            "StringEquals",
            "cognito-identity.amazonaws.com:aud",
            "eu-west-1:11111111-2222-3333-4444-555555555555",
            Decoration,
            Narrows,
            Narrows,
        ),
        (
            "StringEquals",
            "aws:ResourceTag/cost.center:team",
            "a",
            Narrows,
            Narrows,
            Narrows,
        ),
        (
            "StringLike",
            "aws:PrincipalArn",
            "*:role/deploy",
            Decoration,
            Narrows,
            Decoration,
        ),
        (
            "StringEquals",
            "aws:PrincipalTag/team",
            "a",
            Decoration,
            Narrows,
            Decoration,
        ),
        ("StringEquals", "aws:username", "a", Decoration, Narrows, Decoration),
        (
            "StringEquals",
            "aws:PrincipalType",
            "User",
            Decoration,
            Narrows,
            Decoration,
        ),
        (
            "Bool",
            "aws:MultiFactorAuthPresent",
            "true",
            Narrows,
            Narrows,
            Decoration,
        ),
        (
            "NumericLessThan",
            "aws:MultiFactorAuthAge",
            "3600",
            Narrows,
            Narrows,
            Decoration,
        ),
        (
            "StringEquals",
            "sts:RoleSessionName",
            "a",
            Narrows,
            Decoration,
            Decoration,
        ),
        (
            "StringEquals",
            "sts:SourceIdentity",
            "a",
            Narrows,
            Decoration,
            Decoration,
        ),
        (
            "StringEquals",
            "aws:RequestedRegion",
            "eu-west-1",
            Narrows,
            Decoration,
            Decoration,
        ),
        (
            "DateLessThan",
            "aws:CurrentTime",
            "2099-01-01T00:00:00Z",
            Narrows,
            Decoration,
            Decoration,
        ),
        ("StringLike", "aws:UserAgent", "a*", Decoration, Decoration, Decoration),
        ("StringEquals", "sts:ExternalId", "8d1f", Narrows, Narrows, Narrows),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", Narrows, Narrows, Narrows),
        ("StringEquals", "aws:SourceVpce", "vpce-0a1b2c3d", Pins, Pins, Pins),
        ("StringEquals", "aws:SourceAccount", "111122223333", Pins, Pins, Pins),
        ("StringEquals", "aws:ResourceTag/team", "a", Narrows, Narrows, Narrows),
        (
            "StringLike",
            "aws:RequestTag/team",
            "*",
            Narrows,
            Decoration,
            Decoration,
        ),
        ("Null", "aws:RequestTag/team", "false", Narrows, Decoration, Decoration),
        ("Null", "aws:TagKeys", "false", Narrows, Decoration, Decoration),
        (
            "Null",
            "aws:RequestTag/team",
            "true",
            Decoration,
            Decoration,
            Decoration,
        ),
        ("Bool", "aws:PrincipalIsAWSService", "true", Narrows, Narrows, Narrows),
        (
            "StringEquals",
            "kms:ViaService",
            "s3.eu-west-1.amazonaws.com",
            Narrows,
            Narrows,
            Narrows,
        ),
    ] {
        let c = condition(operator, key, vec![text(value)]);
        let grades = [
            StatementCallers::Holders,
            StatementCallers::Named,
            StatementCallers::Open,
        ]
        .map(|reading| strength_of(std::slice::from_ref(&c), reading).bounds[0].grade);
        assert_eq!(grades, [holders, named, open], "{operator} {key} {value}");
    }
}

#[test]
fn networks() {
    for (t, private, host_bits) in [
        ("10.1.0.0/16", true, false),
        ("172.15.0.0/16", false, false),
        ("172.16.0.1/12", true, true),
        ("203.0.113.5", false, false),
        ("fd00::/8", true, false),
        ("2001:db8::1/32", false, true),
        ("0.0.0.0/0", false, false),
        ("1.2.3.4/0", false, true),
    ] {
        let n = Network::parse(t).unwrap();
        assert_eq!((n.is_private(), n.has_host_bits()), (private, host_bits), "{t}");
    }
    for t in ["10.0.0.0/33", "x", "10.0.0/8", ""] {
        assert_eq!(Network::parse(t), None, "{t}");
    }
}
