//! Who a principal is, seen from the account that the repository is deployed to.
//! IAM User Guide, "AWS JSON policy elements: Principal".

use super::arn::{self, Arn, Field, Shape};
use super::pattern::is_star;
use super::service::service;
use super::{Condition, Own, PrincipalClause, PrincipalItem, PrincipalType};
use crate::source::{HoleKind, Part, Target, Text};

/// Where a principal belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `"*"` and `{"AWS": "*"}`.
    Everyone,
    /// A wildcard in the place of the account: `arn:aws:iam::*:root`. As public as [`Place::Everyone`].
    AnyAccount(Who),
    /// The account that is deployed to, or one that `[own]` names.
    OwnAccount {
        who: Who,
        name: Option<String>,
    },
    OtherAccount {
        id: String,
        /// Ours from `[own]`, or a vendor's that is widely known.
        name: Option<String>,
        /// `[own]` trusts it, or it belongs to AWS itself.
        trusted: bool,
        who: Who,
    },
    /// An account whose number is given from outside, or cannot be told.
    SomeAccount {
        who: Who,
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
    Federated(Option<Target>),
    CanonicalUser,
    /// `AROA…`, `AIDA…`: what is left of a role or user that was deleted.
    UniqueId(Who),
    /// A role, user or other resource of the repository.
    Resource(Target),
    Unknown,
}

/// What kind of identity in its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
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
    pub fn of_url(url: &str) -> Self {
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
pub fn place(item: &PrincipalItem, own: &Own, home: Option<&str>) -> Place {
    let text = &item.value.text;
    let home = item.home.as_deref().or(home);
    match item.kind {
        PrincipalType::Everyone => Place::Everyone,
        PrincipalType::Aws => aws(text, own, home),
        PrincipalType::Service if is_star(text) => Place::AnyService,
        PrincipalType::Service => Place::Service { name: service(text) },
        PrincipalType::Federated => federated(text),
        PrincipalType::CanonicalUser if is_star(text) => Place::Everyone,
        PrincipalType::CanonicalUser => Place::CanonicalUser,
        PrincipalType::Unknown => Place::Unknown,
    }
}

/// Public as such, before any condition: everybody, or anybody's account.
pub fn is_public(place: &Place) -> bool {
    matches!(place, Place::Everyone | Place::AnyAccount(_))
}

/// Whether a clause lets in callers of every account: it names everyone, or all but some.
pub fn is_open(clause: &PrincipalClause) -> bool {
    clause.negated
        || clause.items.iter().any(|item| match item.kind {
            PrincipalType::Everyone => true,
            PrincipalType::CanonicalUser => is_star(&item.value.text),
            PrincipalType::Aws => is_public(&aws(&item.value.text, &Own::default(), None)),
            _ => false,
        })
}

/// Of which account an account id is, or what its published owner is called.
pub fn account_place(id: &str, who: Who, own: &Own, home: Option<&str>) -> Place {
    if let Some(name) = own.accounts.get(id) {
        return Place::OwnAccount {
            who,
            name: Some(name.clone()),
        };
    }
    if home == Some(id) {
        return Place::OwnAccount { who, name: None };
    }
    let known = KNOWN.binary_search_by(|(k, _, _)| (*k).cmp(id)).ok().map(|i| KNOWN[i]);
    let trusted = own.trusted_accounts.get(id);
    Place::OtherAccount {
        id: id.to_owned(),
        name: trusted.cloned().or_else(|| known.map(|(_, name, _)| name.to_owned())),
        trusted: trusted.is_some() || known.is_some_and(|(_, _, aws)| aws),
        who,
    }
}

fn aws(text: &Text, own: &Own, home: Option<&str>) -> Place {
    if is_star(text) {
        return Place::Everyone;
    }
    if let Some(hole) = text.as_hole() {
        return match (hole.kind, &hole.target) {
            (HoleKind::Account, _) => Place::OwnAccount {
                who: Who::Root,
                name: None,
            },
            (HoleKind::Resource, Some(target)) => Place::Resource(target.clone()),
            _ => Place::Unknown,
        };
    }
    if let Some(id) = text.known() {
        if arn::is_account_id(&id) {
            return account_place(&id, Who::Root, own, home);
        }
        if is_unique_id(&id, "AROA") {
            return Place::UniqueId(Who::Role);
        }
        if is_unique_id(&id, "AIDA") {
            return Place::UniqueId(Who::User);
        }
    }
    match arn::shape(text) {
        Shape::Arn(parts) => {
            let who = who(&parts);
            match parts.account() {
                Field::Literal(id) if arn::is_account_id(&id) => account_place(&id, who, own, home),
                // S3 User Guide, "Restricting access to an Amazon S3 origin": an origin access identity.
                Field::Literal(id) if id == "cloudfront" => Place::Service {
                    name: "cloudfront.amazonaws.com".to_owned(),
                },
                Field::Any => Place::AnyAccount(who),
                Field::Hole(Some(HoleKind::Account)) => Place::OwnAccount { who, name: None },
                Field::Pattern if is_mostly_wild(parts.account) => Place::AnyAccount(who),
                Field::Hole(kind) => Place::SomeAccount {
                    who,
                    name: parts.account.display(),
                    given: kind.is_some_and(|k| {
                        matches!(
                            k,
                            HoleKind::Input | HoleKind::Dynamic | HoleKind::Lookup | HoleKind::Outside
                        )
                    }),
                },
                _ => Place::Unknown,
            }
        }
        Shape::Wildcard => Place::AnyAccount(Who::Any),
        _ => Place::Unknown,
    }
}

/// `????????????`, `*123`: many accounts.
fn is_mostly_wild(account: Part<'_>) -> bool {
    account
        .known()
        .is_some_and(|a| a.bytes().any(|b| b == b'*' || b == b'?'))
}

fn who(arn: &Arn<'_>) -> Who {
    let kind = arn.resource_type();
    // Sessions belong to STS, the others to IAM. IAM User Guide, "IAM identifiers", "IAM ARNs".
    let home = match &*kind {
        "assumed-role" | "federated-user" => Some("sts"),
        "root" | "role" | "user" => Some("iam"),
        _ => None,
    };
    let service = arn.service();
    if home.is_some_and(|home| service.is_some_and(|service| service != home)) {
        return Who::Other;
    }
    match &*kind {
        "root" => Who::Root,
        "role" => Who::Role,
        "user" => Who::User,
        // `assumed-role/ROLE/SESSION`, without the path of the role. IAM User Guide, "AWS JSON policy elements: Principal".
        "assumed-role" if is_session(arn) => Who::AssumedRole,
        "federated-user" => Who::FederatedUser,
        k if !k.is_empty() && k.bytes().all(|b| b == b'*') => Who::Any,
        _ => Who::Other,
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

fn federated(text: &Text) -> Place {
    if let Some(hole) = text.as_hole() {
        return Place::Federated(hole.target.clone());
    }
    if let Shape::Arn(parts) = arn::shape(text) {
        let id = parts.resource_id();
        return match &*parts.resource_type() {
            "saml-provider" => Place::Saml,
            "oidc-provider" => {
                let url = id.display();
                Place::Oidc {
                    provider: Oidc::of_url(&url),
                    url,
                }
            }
            _ => Place::Unknown,
        };
    }
    let url = text.display();
    let bare = url.strip_prefix("https://").unwrap_or(&url);
    match bare {
        "cognito-identity.amazonaws.com" => Place::Cognito,
        "accounts.google.com" => Place::Oidc {
            provider: Oidc::Google,
            url: bare.to_owned(),
        },
        // The web identity providers that IAM knows without a provider resource.
        "graph.facebook.com" | "www.amazon.com" => Place::Oidc {
            provider: Oidc::Other,
            url: bare.to_owned(),
        },
        _ if is_star(text) => Place::Unknown,
        _ if !text.is_known() => Place::Federated(None),
        _ => Place::Unknown,
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
            .then(|| (Oidc::of_url(url), url.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::text;
    use super::super::{Item, PrincipalType};
    use super::*;
    use crate::source::{FileId, Span};

    fn placed(kind: PrincipalType, value: &str) -> Place {
        let own = Own {
            accounts: [("111111111111".to_owned(), "main".to_owned())].into(),
            trusted_accounts: [("222222222222".to_owned(), "Backup Inc".to_owned())].into(),
            ..Own::default()
        };
        let item = PrincipalItem {
            kind,
            type_key: None,
            value: Item {
                text: text(value),
                span: Span::new(FileId(0), 0, 0),
                via: None,
                branch: None,
            },
            home: None,
        };
        place(&item, &own, Some("333333333333"))
    }

    #[test]
    fn principals_of_accounts() {
        let own = |who| Place::OwnAccount { who, name: None };
        let other = |id: &str, name: Option<&str>, trusted, who| Place::OtherAccount {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            trusted,
            who,
        };
        for (value, expected) in [
            ("*", Place::Everyone),
            ("arn:aws:iam::*:root", Place::AnyAccount(Who::Root)),
            ("arn:aws:iam::*:role/x", Place::AnyAccount(Who::Role)),
            ("arn:aws:iam::*:*", Place::AnyAccount(Who::Any)),
            ("arn:*", Place::AnyAccount(Who::Any)),
            ("‹account›", own(Who::Root)),
            ("arn:‹partition›:iam::‹account›:role/x", own(Who::Role)),
            ("333333333333", own(Who::Root)),
            (
                "arn:aws:iam::111111111111:user/u",
                Place::OwnAccount {
                    who: Who::User,
                    name: Some("main".to_owned()),
                },
            ),
            (
                "arn:aws:iam::222222222222:root",
                other("222222222222", Some("Backup Inc"), true, Who::Root),
            ),
            ("464622532012", other("464622532012", Some("Datadog"), false, Who::Root)),
            (
                "arn:aws:iam::127311923021:root",
                other("127311923021", Some("Elastic Load Balancing"), true, Who::Root),
            ),
            (
                "arn:aws:sts::444444444444:assumed-role/r/s",
                other("444444444444", None, false, Who::AssumedRole),
            ),
            (
                "arn:aws:iam::‹v›:root",
                Place::SomeAccount {
                    who: Who::Root,
                    name: "${v}".to_owned(),
                    given: true,
                },
            ),
            ("‹v›", Place::Unknown),
            ("AROAEXAMPLEEXAMPLE123", Place::UniqueId(Who::Role)),
            (
                "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1",
                Place::Service {
                    name: "cloudfront.amazonaws.com".to_owned(),
                },
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
                Place::Service {
                    name: expected.to_owned()
                },
                "{value}"
            );
        }
        assert_eq!(placed(PrincipalType::Service, "*"), Place::AnyService);
    }

    #[test]
    fn the_kinds_of_identities_have_their_service() {
        for (arn, expected) in [
            ("arn:aws:iam::111111111111:role/r", Who::Role),
            ("arn:aws:sts::111111111111:role/r", Who::Other),
            ("arn:aws:sts::111111111111:root", Who::Other),
            ("arn:aws:s3::111111111111:user/u", Who::Other),
            ("arn:aws:sts::111111111111:assumed-role/r/s", Who::AssumedRole),
            ("arn:aws:iam::111111111111:assumed-role/r/s", Who::Other),
            ("arn:aws:sts::111111111111:federated-user/u", Who::FederatedUser),
            ("arn:aws:iam::111111111111:federated-user/u", Who::Other),
            ("arn:aws:‹v›::111111111111:role/r", Who::Role),
        ] {
            let text = text(arn);
            assert_eq!(who(&Arn::parse(&text).unwrap()), expected, "{arn}");
        }
    }

    #[test]
    fn federated_providers() {
        let oidc = |provider, url: &str| Place::Oidc {
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
            ("cognito-identity.amazonaws.com", Place::Cognito),
            ("arn:aws:iam::123456789012:saml-provider/okta", Place::Saml),
            ("‹v›", Place::Federated(None)),
            ("example.com", Place::Unknown),
        ] {
            assert_eq!(placed(PrincipalType::Federated, value), expected, "{value}");
        }
    }
}
