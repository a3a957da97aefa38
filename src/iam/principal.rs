//! Who a principal is, seen from the account that the repository is deployed to.
//! IAM User Guide, "AWS JSON policy elements: Principal".

use super::arn::{self, Arn, ArnField, ArnShape};
use super::pattern::is_star;
use super::service::service;
use super::{Condition, Ownership, PrincipalClause, PrincipalItem, PrincipalType};
use crate::source::{HoleKind, HoleTarget, Text, TextSlice};

/// Where a principal belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalOrigin {
    /// `"*"` and `{"AWS": "*"}`.
    Everyone,
    /// A wildcard in the place of the account: `arn:aws:iam::*:root`. As public as [`PrincipalOrigin::Everyone`].
    AnyAccount(IdentityType),
    /// The account that is deployed to, or one that `[own]` names.
    OwnAccount {
        who: IdentityType,
        name: Option<String>,
    },
    OtherAccount {
        id: String,
        /// Ours from `[own]`, or a vendor's that is widely known.
        name: Option<String>,
        /// `[own]` trusts it, or it belongs to AWS itself.
        trusted: bool,
        who: IdentityType,
    },
    /// An account whose number is given from outside, or cannot be determined.
    SomeAccount {
        who: IdentityType,
        /// The hole in its place.
        name: String,
        /// A parameter, a variable without a value, a look-up or an output fills it in.
        given: bool,
    },
    /// `{"Service": "*"}`.
    AnyService,
    /// Host name without a region: `logs.amazonaws.com`; unknown parts as `${name}`.
    Service {
        name: String,
    },
    /// An OpenID Connect provider, with the host and path of its URL.
    Oidc {
        provider: Oidc,
        url: String,
    },
    Saml,
    /// `cognito-identity.amazonaws.com`.
    Cognito,
    /// A federated provider that is a hole: the statement's action and condition keys tell more.
    Federated(Option<HoleTarget>),
    CanonicalUser,
    /// `AROA…`, `AIDA…`: what is left of a role or user that was deleted.
    UniqueId(IdentityType),
    /// A role, user or other resource of the repository.
    Resource(HoleTarget),
    Unknown,
}

/// What kind of identity in its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityType {
    /// The whole account: `arn:…:root` or its twelve digits.
    Root,
    Role,
    User,
    /// `arn:aws:sts::…:assumed-role/…`.
    AssumedRole,
    FederatedUser,
    /// A wildcard in the place of the kind: `arn:aws:iam::*:*`.
    Any,
    Other,
}

/// Providers whose subjects we can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oidc {
    GitHub,
    GitLab,
    CircleCi,
    Bitbucket,
    TerraformCloud,
    Buildkite,
    Spacelift,
    Eks,
    Google,
    Other,
}

impl Oidc {
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab",
            Self::CircleCi => "CircleCI",
            Self::Bitbucket => "Bitbucket",
            Self::TerraformCloud => "HCP Terraform",
            Self::Buildkite => "Buildkite",
            Self::Spacelift => "Spacelift",
            Self::Eks => "EKS",
            Self::Google => "Google",
            Self::Other => "OIDC",
        }
    }

    /// From host and path, without `https://`; a hole may stand for any part.
    pub fn from_url(url: &str) -> Self {
        let url = url.to_ascii_lowercase();
        let host = url.split('/').next().unwrap_or_default();
        let is = |name: &str| host == name;
        let under = |suffix: &str| host.ends_with(suffix);
        if is("token.actions.githubusercontent.com") || url.ends_with("/_services/token") || under(".ghe.com") {
            Self::GitHub
        } else if is("gitlab.com") || host.starts_with("gitlab.") {
            Self::GitLab
        } else if is("oidc.circleci.com") {
            Self::CircleCi
        } else if is("api.bitbucket.org") {
            Self::Bitbucket
        } else if is("app.terraform.io") {
            Self::TerraformCloud
        } else if is("agent.buildkite.com") {
            Self::Buildkite
        } else if under(".spacelift.io") {
            Self::Spacelift
        } else if host.starts_with("oidc.eks.") || host.starts_with("oidc-eks.") {
            Self::Eks
        } else if is("accounts.google.com") {
            Self::Google
        } else {
            Self::Other
        }
    }
}

/// Accounts that are widely published: by AWS for the logs of load balancers ("Enable access logs for your Classic Load
/// Balancer"), layers of functions ("Available versions of the Lambda Insights extension") and images of containers ("View
/// Amazon container image registries for Amazon EKS add-ons"), or by the vendor in its set-up guide. Whether it acts as a
/// principal for AWS: an account that only publishes does not.
const KNOWN: &[(&str, &str, bool)] = &[
    ("002406178527", "Datadog", false),
    ("009996457667", "Elastic Load Balancing", true),
    ("012438385374", "Lambda Insights", false),
    ("017000801446", "Powertools for AWS Lambda", false),
    ("027434742980", "Elastic Load Balancing", true),
    ("033677994240", "Elastic Load Balancing", true),
    ("037604701340", "Elastic Load Balancing", true),
    ("048591011584", "Elastic Load Balancing", true),
    ("054676820928", "Elastic Load Balancing", true),
    ("076674570225", "Elastic Load Balancing", true),
    ("098369216593", "Elastic Load Balancing", true),
    ("114774131450", "Elastic Load Balancing", true),
    ("121268973566", "Amazon EKS", false),
    ("127311923021", "Elastic Load Balancing", true),
    ("151610086707", "Amazon EKS", false),
    ("156460612806", "Elastic Load Balancing", true),
    ("177933569100", "AWS Parameters and Secrets", false),
    ("190560391635", "Elastic Load Balancing", true),
    ("194566237122", "Lambda Insights", false),
    ("296578399912", "Amazon EKS", false),
    ("333609536671", "Amazon EKS", false),
    ("383597477331", "Elastic Load Balancing", true),
    ("434813966438", "Lacework", false),
    ("439286490199", "Lambda Insights", false),
    ("451483290750", "New Relic", false),
    ("464622532012", "Datadog", false),
    ("491585149902", "Amazon EKS", false),
    ("507241528517", "Elastic Load Balancing", true),
    ("519774774795", "Lambda Insights", false),
    ("533267051163", "Amazon EKS", false),
    ("580247275435", "Lambda Insights", false),
    ("582318560864", "Elastic Load Balancing", true),
    ("589379963580", "Elastic Load Balancing", true),
    ("590474943231", "AWS Parameters and Secrets", false),
    ("600734575887", "Elastic Load Balancing", true),
    ("602401143452", "Amazon EKS", false),
    ("635631232127", "Elastic Load Balancing", true),
    ("638102146993", "Elastic Load Balancing", true),
    ("652711504416", "Elastic Load Balancing", true),
    ("683313688378", "Amazon SageMaker", false),
    ("718504428378", "Elastic Load Balancing", true),
    ("754344448648", "Elastic Load Balancing", true),
    ("754728514883", "New Relic", false),
    ("763104351884", "AWS Deep Learning Containers", false),
    ("783225319266", "Elastic Load Balancing", true),
    ("797873946194", "Elastic Load Balancing", true),
    ("800184023465", "Amazon EKS", false),
    ("877085696533", "Amazon EKS", false),
    ("891564319516", "Lambda Insights", false),
    ("897822967062", "Elastic Load Balancing", true),
    ("900889452093", "Amazon EKS", false),
    ("901920570463", "AWS Distro for OpenTelemetry", false),
    ("918309763551", "Amazon EKS", false),
    ("961992271922", "Amazon EKS", false),
    ("985666609251", "Elastic Load Balancing", true),
];

/// Where `item` belongs. `home` is the account that is deployed to, where that is known.
pub fn origin_of(item: &PrincipalItem, own: &Ownership, home: Option<&str>) -> PrincipalOrigin {
    let text = &item.value.text;
    let home = item.home.as_deref().or(home);
    match item.kind {
        PrincipalType::Everyone => PrincipalOrigin::Everyone,
        PrincipalType::Aws => aws(text, own, home),
        PrincipalType::Service if is_star(text) => PrincipalOrigin::AnyService,
        PrincipalType::Service => PrincipalOrigin::Service { name: service(text) },
        PrincipalType::Federated => federated(text),
        PrincipalType::CanonicalUser if is_star(text) => PrincipalOrigin::Everyone,
        PrincipalType::CanonicalUser => PrincipalOrigin::CanonicalUser,
        PrincipalType::Unknown => PrincipalOrigin::Unknown,
    }
}

/// Public as such, before any condition: everyone, or anyone's account.
pub fn is_public(place: &PrincipalOrigin) -> bool {
    matches!(place, PrincipalOrigin::Everyone | PrincipalOrigin::AnyAccount(_))
}

/// Whether a clause lets in callers of every account: it names everyone, or all but some.
pub fn is_open(clause: &PrincipalClause) -> bool {
    clause.negated
        || clause.items.iter().any(|item| match item.kind {
            PrincipalType::Everyone => true,
            PrincipalType::CanonicalUser => is_star(&item.value.text),
            PrincipalType::Aws => is_public(&aws(&item.value.text, &Ownership::default(), None)),
            _ => false,
        })
}

/// Of which account an account id is, or what its published owner is called.
pub fn origin_of_account(id: &str, who: IdentityType, own: &Ownership, home: Option<&str>) -> PrincipalOrigin {
    if let Some(name) = own.accounts.get(id) {
        return PrincipalOrigin::OwnAccount {
            who,
            name: Some(name.clone()),
        };
    }
    if home == Some(id) {
        return PrincipalOrigin::OwnAccount { who, name: None };
    }
    let known = KNOWN.binary_search_by(|(k, _, _)| (*k).cmp(id)).ok().map(|i| KNOWN[i]);
    let trusted = own.trusted_accounts.get(id);
    PrincipalOrigin::OtherAccount {
        id: id.to_owned(),
        name: trusted.cloned().or_else(|| known.map(|(_, name, _)| name.to_owned())),
        trusted: trusted.is_some() || known.is_some_and(|(_, _, aws)| aws),
        who,
    }
}

fn aws(text: &Text, own: &Ownership, home: Option<&str>) -> PrincipalOrigin {
    if is_star(text) {
        return PrincipalOrigin::Everyone;
    }
    if let Some(hole) = text.as_hole() {
        return match (hole.kind, &hole.target) {
            (HoleKind::Account, _) => PrincipalOrigin::OwnAccount {
                who: IdentityType::Root,
                name: None,
            },
            (HoleKind::Resource, Some(target)) => PrincipalOrigin::Resource(target.clone()),
            _ => PrincipalOrigin::Unknown,
        };
    }
    if let Some(id) = text.known() {
        if arn::is_account_id(&id) {
            return origin_of_account(&id, IdentityType::Root, own, home);
        }
        if is_unique_id(&id, "AROA") {
            return PrincipalOrigin::UniqueId(IdentityType::Role);
        }
        if is_unique_id(&id, "AIDA") {
            return PrincipalOrigin::UniqueId(IdentityType::User);
        }
    }
    match arn::arn_shape(text) {
        ArnShape::Arn(parts) => {
            let who = identity_type(&parts);
            match parts.account() {
                ArnField::Literal(id) if arn::is_account_id(&id) => origin_of_account(&id, who, own, home),
                // An origin access identity stands for one canonical user of S3, not for the service: Amazon CloudFront
                // Developer Guide, "Restrict access to an Amazon S3 origin", "Use an origin access identity".
                ArnField::Literal(id) if id == "cloudfront" => PrincipalOrigin::CanonicalUser,
                ArnField::Any => PrincipalOrigin::AnyAccount(who),
                ArnField::Hole(Some(HoleKind::Account)) => PrincipalOrigin::OwnAccount { who, name: None },
                ArnField::Pattern if is_mostly_wildcards(parts.account) => PrincipalOrigin::AnyAccount(who),
                ArnField::Hole(kind) => PrincipalOrigin::SomeAccount {
                    who,
                    name: parts.account.display(),
                    given: kind.is_some_and(|k| {
                        matches!(
                            k,
                            HoleKind::Input | HoleKind::Dynamic | HoleKind::Lookup | HoleKind::Outside
                        )
                    }),
                },
                _ => PrincipalOrigin::Unknown,
            }
        }
        ArnShape::Wildcard => PrincipalOrigin::AnyAccount(IdentityType::Any),
        _ => PrincipalOrigin::Unknown,
    }
}

/// `????????????`, `*123`: many accounts.
fn is_mostly_wildcards(account: TextSlice<'_>) -> bool {
    account
        .known()
        .is_some_and(|a| a.bytes().any(|b| b == b'*' || b == b'?'))
}

fn identity_type(arn: &Arn<'_>) -> IdentityType {
    let kind = arn.resource_type();
    // Sessions belong to STS, the others to IAM. IAM User Guide, "IAM identifiers", "IAM ARNs".
    let home = match &*kind {
        "assumed-role" | "federated-user" => Some("sts"),
        "root" | "role" | "user" => Some("iam"),
        _ => None,
    };
    let service = arn.service();
    if home.is_some_and(|home| service.is_some_and(|service| service != home)) {
        return IdentityType::Other;
    }
    match &*kind {
        "root" => IdentityType::Root,
        "role" => IdentityType::Role,
        "user" => IdentityType::User,
        // `assumed-role/ROLE/SESSION`, without the path of the role. IAM User Guide, "AWS JSON policy elements: Principal".
        "assumed-role" if is_session(arn) => IdentityType::AssumedRole,
        "federated-user" => IdentityType::FederatedUser,
        k if !k.is_empty() && k.bytes().all(|b| b == b'*') => IdentityType::Any,
        _ => IdentityType::Other,
    }
}

fn is_session(arn: &Arn<'_>) -> bool {
    let resource = arn.resource.with_placeholders();
    let known = resource.chars().all(|c| Text::placeholder(c).is_none());
    let parts: Vec<&str> = resource.split('/').collect();
    !known || matches!(parts.as_slice(), [_, role, session] if !role.is_empty() && !session.is_empty())
}

/// A unique identifier with its four-letter prefix. IAM User Guide, "IAM identifiers", "Unique identifiers".
pub fn is_unique_id(text: &str, prefix: &str) -> bool {
    text.len() >= 16
        && text.len() <= 32
        && text.starts_with(prefix)
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn federated(text: &Text) -> PrincipalOrigin {
    if let Some(hole) = text.as_hole() {
        return PrincipalOrigin::Federated(hole.target.clone());
    }
    if let ArnShape::Arn(parts) = arn::arn_shape(text) {
        let id = parts.resource_id();
        return match &*parts.resource_type() {
            "saml-provider" => PrincipalOrigin::Saml,
            "oidc-provider" => {
                let url = id.display();
                PrincipalOrigin::Oidc {
                    provider: Oidc::from_url(&url),
                    url,
                }
            }
            _ => PrincipalOrigin::Unknown,
        };
    }
    let url = text.display();
    let bare = url.strip_prefix("https://").unwrap_or(&url);
    match bare {
        "cognito-identity.amazonaws.com" => PrincipalOrigin::Cognito,
        "accounts.google.com" => PrincipalOrigin::Oidc {
            provider: Oidc::Google,
            url: bare.to_owned(),
        },
        // The web identity providers that IAM knows without a provider resource.
        "graph.facebook.com" | "www.amazon.com" => PrincipalOrigin::Oidc {
            provider: Oidc::Other,
            url: bare.to_owned(),
        },
        _ if is_star(text) => PrincipalOrigin::Unknown,
        _ if !text.is_known() => PrincipalOrigin::Federated(None),
        _ => PrincipalOrigin::Unknown,
    }
}

/// The OIDC provider that condition keys `host/path:claim` name, with its URL: how a provider that is a hole shows itself.
pub fn oidc_of_conditions(conditions: &[Condition]) -> Option<(Oidc, String)> {
    conditions.iter().find_map(|c| {
        let key = c.key.text.display();
        let (url, claim) = key.rsplit_once(':')?;
        (url.contains('.')
            && matches!(
                claim.to_ascii_lowercase().as_str(),
                "sub" | "aud" | "amr" | "azp" | "iss" | "oaud" | "id" | "actor" | "ref" | "repository"
            )
            && !url.starts_with("${")
            && url != "cognito-identity.amazonaws.com")
            .then(|| (Oidc::from_url(url), url.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::text;
    use super::super::{ClauseItem, PrincipalType};
    use super::*;
    use crate::source::Span;

    fn placed(kind: PrincipalType, value: &str) -> PrincipalOrigin {
        let own = Ownership {
            accounts: [("111111111111".to_owned(), "main".to_owned())].into(),
            trusted_accounts: [("222222222222".to_owned(), "Backup Inc".to_owned())].into(),
            ..Ownership::default()
        };
        let item = PrincipalItem {
            kind,
            type_key: None,
            value: ClauseItem::new(text(value), Span::NOWHERE),
            home: None,
        };
        origin_of(&item, &own, Some("333333333333"))
    }

    #[test]
    fn principals_of_accounts() {
        let own = |who| PrincipalOrigin::OwnAccount { who, name: None };
        let other = |id: &str, name: Option<&str>, trusted, who| PrincipalOrigin::OtherAccount {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            trusted,
            who,
        };
        for (value, expected) in [
            ("*", PrincipalOrigin::Everyone),
            ("arn:aws:iam::*:root", PrincipalOrigin::AnyAccount(IdentityType::Root)),
            ("arn:aws:iam::*:role/x", PrincipalOrigin::AnyAccount(IdentityType::Role)),
            ("arn:aws:iam::*:*", PrincipalOrigin::AnyAccount(IdentityType::Any)),
            ("arn:*", PrincipalOrigin::AnyAccount(IdentityType::Any)),
            ("‹account›", own(IdentityType::Root)),
            ("arn:‹partition›:iam::‹account›:role/x", own(IdentityType::Role)),
            ("333333333333", own(IdentityType::Root)),
            (
                "arn:aws:iam::111111111111:user/u",
                PrincipalOrigin::OwnAccount {
                    who: IdentityType::User,
                    name: Some("main".to_owned()),
                },
            ),
            (
                "arn:aws:iam::222222222222:root",
                other("222222222222", Some("Backup Inc"), true, IdentityType::Root),
            ),
            (
                "464622532012",
                other("464622532012", Some("Datadog"), false, IdentityType::Root),
            ),
            (
                "arn:aws:iam::127311923021:root",
                other("127311923021", Some("Elastic Load Balancing"), true, IdentityType::Root),
            ),
            (
                "arn:aws:sts::444444444444:assumed-role/r/s",
                other("444444444444", None, false, IdentityType::AssumedRole),
            ),
            (
                "arn:aws:iam::‹v›:root",
                PrincipalOrigin::SomeAccount {
                    who: IdentityType::Root,
                    name: "${v}".to_owned(),
                    given: true,
                },
            ),
            ("‹v›", PrincipalOrigin::Unknown),
            ("AROAEXAMPLEEXAMPLE123", PrincipalOrigin::UniqueId(IdentityType::Role)),
            (
                "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1",
                PrincipalOrigin::CanonicalUser,
            ),
        ] {
            assert_eq!(placed(PrincipalType::Aws, value), expected, "{value}");
        }
    }

    #[test]
    fn the_table_of_accounts_is_sorted() {
        assert!(KNOWN.is_sorted_by(|a, b| a.0 < b.0));
        assert!(KNOWN.iter().all(|(id, _, _)| arn::is_account_id(id)));
    }

    #[test]
    fn services_lose_their_region() {
        for (value, expected) in [
            ("ec2.amazonaws.com", "ec2.amazonaws.com"),
            ("logs.us-east-1.amazonaws.com", "logs.amazonaws.com"),
            ("logs.‹region›.amazonaws.com", "logs.amazonaws.com"),
            ("ec2.amazonaws.com.cn", "ec2.amazonaws.com"),
            ("delivery.logs.amazonaws.com", "delivery.logs.amazonaws.com"),
            ("‹v›.amazonaws.com", "${v}.amazonaws.com"),
            ("lambda.‹suffix›", "lambda.amazonaws.com"),
            ("logs.‹region›.‹suffix›", "logs.amazonaws.com"),
        ] {
            assert_eq!(
                placed(PrincipalType::Service, value),
                PrincipalOrigin::Service {
                    name: expected.to_owned()
                },
                "{value}"
            );
        }
        assert_eq!(placed(PrincipalType::Service, "*"), PrincipalOrigin::AnyService);
    }

    #[test]
    fn the_kinds_of_identities_have_their_service() {
        for (arn, expected) in [
            ("arn:aws:iam::111111111111:role/r", IdentityType::Role),
            ("arn:aws:sts::111111111111:role/r", IdentityType::Other),
            ("arn:aws:sts::111111111111:root", IdentityType::Other),
            ("arn:aws:s3::111111111111:user/u", IdentityType::Other),
            ("arn:aws:sts::111111111111:assumed-role/r/s", IdentityType::AssumedRole),
            ("arn:aws:iam::111111111111:assumed-role/r/s", IdentityType::Other),
            (
                "arn:aws:sts::111111111111:federated-user/u",
                IdentityType::FederatedUser,
            ),
            ("arn:aws:iam::111111111111:federated-user/u", IdentityType::Other),
            ("arn:aws:‹v›::111111111111:role/r", IdentityType::Role),
        ] {
            let text = text(arn);
            assert_eq!(identity_type(&Arn::parse(&text).unwrap()), expected, "{arn}");
        }
    }

    #[test]
    fn federated_providers() {
        let oidc = |provider, url: &str| PrincipalOrigin::Oidc {
            provider,
            url: url.to_owned(),
        };
        for (value, expected) in [
            (
                "arn:aws:iam::‹account›:oidc-provider/token.actions.githubusercontent.com",
                oidc(Oidc::GitHub, "token.actions.githubusercontent.com"),
            ),
            (
                "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC",
                oidc(Oidc::Eks, "oidc.eks.eu-west-1.amazonaws.com/id/ABC"),
            ),
            ("accounts.google.com", oidc(Oidc::Google, "accounts.google.com")),
            ("cognito-identity.amazonaws.com", PrincipalOrigin::Cognito),
            ("arn:aws:iam::123456789012:saml-provider/okta", PrincipalOrigin::Saml),
            ("‹v›", PrincipalOrigin::Federated(None)),
            ("example.com", PrincipalOrigin::Unknown),
        ] {
            assert_eq!(placed(PrincipalType::Federated, value), expected, "{value}");
        }
    }
}
