//! What a condition key says about a request, and what it takes to say it well.
//! IAM User Guide, "AWS global condition context keys".

use super::operator::{Operator, OperatorFamily};
use crate::iam::catalogue::{KeyPresence, catalogue};

/// What a condition limits.
///
/// | facet | in an identity policy | where named accounts are let in | where everyone is let in |
/// |---|---|---|---|
/// | [`Who`](Self::Who) | who; nothing about the resources | who | who |
/// | [`Caller`](Self::Caller) | who; nothing about the resources | who | nothing: any account can have such a caller |
/// | [`Mfa`](Self::Mfa) | how one signs in | how one signs in | nothing: users of any account can use MFA |
/// | [`Chosen`](Self::Chosen) | where and when | nothing | nothing |
/// | the others | what they say | what they say | what they say |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// Who asks, by what others cannot have: account, organization, source, private endpoint, external ID, subject of a token.
    Who,
    /// Who asks, by what the administrator of the caller's account chooses: tags and names of the principal.
    Caller,
    /// What the caller chooses with each request, or only has to wait for: Region, time, names of sessions.
    Chosen,
    /// From which address.
    From,
    /// On which resource.
    Resource,
    /// Through or for which service.
    Service,
    /// With a second factor.
    Mfa,
    /// Anything else of the request.
    Other,
}

/// How the values of a key are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueReading {
    Account,
    Organization,
    OrganizationPath,
    Arn,
    /// Names one thing: an endpoint, a VPC, a unique id.
    Id,
    /// The subject of a web identity token.
    Subject,
    /// A secret shared with the other side, or any text that limits and does not pin.
    Text,
    /// Says something when true; whether it then pins.
    True {
        pins: bool,
    },
    Address,
    Age,
    /// `AWS_IAM` limits, `NONE` does not.
    UrlAuth,
    /// The ARN of a policy that is given to others.
    Policy,
    /// The principal of a service that a role is passed to.
    Service,
    /// The caller writes it itself.
    Spoofable,
    /// Holds for nearly every request.
    Idle,
}

impl ValueReading {
    /// The key itself pins, whatever hole stands for its value.
    pub(super) fn pins_by_itself(self) -> bool {
        matches!(
            self,
            Self::Account | Self::Organization | Self::OrganizationPath | Self::Arn | Self::Id
        )
    }
}

/// `key` in lower case; holes as `${…}`.
pub(super) fn facet_of_key(key: &str) -> (Facet, ValueReading) {
    use ValueReading as V;
    let who = |values| (Facet::Who, values);
    match key {
        "aws:principalaccount"
        | "aws:sourceaccount"
        | "aws:sourceowner"
        | "aws:vpceaccount"
        | "kms:calleraccount"
        | "s3:dataaccesspointaccount"
        | "vpc-lattice-svcs:sourcevpcowneraccount" => who(V::Account),
        "aws:principalorgid" | "aws:sourceorgid" | "aws:vpceorgid" => who(V::Organization),
        "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:vpceorgpaths" => who(V::OrganizationPath),
        "aws:principalarn"
        | "aws:sourcearn"
        | "aws:chatbotsourcearn"
        | "s3:dataaccesspointarn"
        | "elasticfilesystem:accesspointarn"
        | "ec2:sourceinstancearn"
        | "lambda:sourcefunctionarn"
        | "vpc-lattice-svcs:servicenetworkarn" => who(V::Arn),
        "aws:sourcevpce"
        | "aws:sourcevpc"
        | "aws:ec2instancesourcevpc"
        | "aws:userid"
        | "vpc-lattice-svcs:sourcevpc" => who(V::Id),
        "elasticfilesystem:accessedviamounttarget" => who(V::True { pins: true }),
        "aws:principalisawsservice" => who(V::True { pins: false }),
        // Every account has principals that can sign a request.
        "lambda:functionurlauthtype" => (Facet::Caller, V::UrlAuth),
        "aws:username" | "aws:principaltype" => (Facet::Caller, V::Text),
        "sts:rolesessionname"
        | "sts:sourceidentity"
        | "aws:sourceidentity"
        | "aws:requestedregion"
        | "aws:currenttime"
        | "aws:epochtime" => (Facet::Chosen, V::Text),
        "sts:externalid"
        | "aws:federatedprovider"
        | "aws:principalservicename"
        | "aws:principalservicenameslist"
        | "lambda:eventsourcetoken" => who(V::Text),
        "aws:sourceip" | "aws:vpcsourceip" | "aws:ec2instancesourceprivateipv4" => (Facet::From, V::Address),
        "aws:multifactorauthpresent" => (Facet::Mfa, V::True { pins: false }),
        "aws:multifactorauthage" => (Facet::Mfa, V::Age),
        "aws:resourceaccount" | "s3:resourceaccount" => (Facet::Resource, V::Account),
        "aws:resourceorgid" => (Facet::Resource, V::Organization),
        "aws:resourceorgpaths" => (Facet::Resource, V::OrganizationPath),
        "iam:policyarn" | "iam:permissionsboundary" => (Facet::Other, V::Policy),
        "iam:passedtoservice" => (Facet::Service, V::Service),
        "iam:awsservicename" | "kms:viaservice" | "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast" => {
            (Facet::Service, V::Text)
        }
        "aws:viaawsservice" | "kms:grantisforawsresource" => (Facet::Service, V::True { pins: false }),
        "aws:referer" | "aws:useragent" => (Facet::Other, V::Spoofable),
        "aws:securetransport" | "s3:signatureversion" | "s3:tlsversion" | "s3:authtype" | "aws:tokenissuetime" => {
            (Facet::Other, V::Idle)
        }
        k if k.starts_with("aws:principaltag/") => (Facet::Caller, V::Text),
        k if k.starts_with("aws:requesttag/") || k == "aws:tagkeys" => (Facet::Chosen, V::Text),
        k if k.starts_with("vpc-lattice-svcs:requestheader/")
            || k.starts_with("vpc-lattice-svcs:requestquerystring/") =>
        {
            (Facet::Chosen, V::Text)
        }
        k if k.starts_with("saml:") => who(V::Text),
        k if k.starts_with("aws:resourcetag/")
            || k.contains(":resourcetag/")
            || k.starts_with("s3:existingobjecttag/") =>
        {
            (Facet::Resource, V::Text)
        }
        k => match k.rsplit_once(':') {
            // Web identity: `token.actions.githubusercontent.com:sub`, `${local.provider}:sub`.
            Some((provider, claim)) if provider.contains('.') || provider.ends_with('}') => {
                who(if claim == "sub" { V::Subject } else { V::Text })
            }
            _ => (Facet::Other, V::Text),
        },
    }
}

/// A property of the principal that asks, or of its session: the same in every request of one session, whatever it is about.
/// `key` in lower case.
/// IAM User Guide, "AWS global condition context keys", "Properties of the principal" and "Properties of a role session", and
/// "IAM and AWS STS condition context keys", "Available keys for AWS web identity federation" and "for SAML-based federation".
pub fn is_principal_key(key: &str) -> bool {
    match key {
        "aws:principalisawsservice" | "aws:principalservicename" | "aws:principalservicenameslist" => false,
        "aws:userid" | "aws:username" | "kms:calleraccount" => true,
        "aws:assumedroot"
        | "aws:chatbotsourcearn"
        | "aws:ec2instancesourceprivateipv4"
        | "aws:ec2instancesourcevpc"
        | "aws:federatedprovider"
        | "aws:sourceidentity"
        | "codebuild:buildarn"
        | "codebuild:projectarn"
        | "ec2:roledelivery"
        | "ec2:sourceinstancearn"
        | "glue:credentialissuingservice"
        | "glue:roleassumedby"
        | "identitystore:userid"
        | "lambda:sourcefunctionarn"
        | "ssm:sourceinstancearn" => true,
        _ => key.starts_with("aws:principal") || key.starts_with("saml:") || is_claim(key),
    }
}

/// A claim of a token with which a session was begun: `cognito-identity.amazonaws.com:aud`.
fn is_claim(key: &str) -> bool {
    let provider = key.rsplit_once(':').map(|(provider, _)| provider);
    provider.is_some_and(|p| p.contains('.') && !p.contains(':'))
}

/// Whose resource it is: in a policy on the resource itself, the same in every request. `key` in lower case.
pub fn is_owner_key(key: &str) -> bool {
    matches!(
        key,
        "aws:resourceaccount" | "aws:resourceorgid" | "aws:resourceorgpaths" | "s3:resourceaccount"
    )
}

/// Says whose account or organization a request comes from, by who asks, by its source, or by its endpoint. `key` in lower
/// case.
pub(super) fn is_caller_account_key(key: &str) -> bool {
    let of = ["aws:principal", "aws:source", "aws:vpce"].iter();
    let rest = of.filter_map(|prefix| key.strip_prefix(prefix)).next();
    matches!(rest, Some("account" | "owner" | "orgid" | "orgpaths"))
}

/// Holds the value of a tag: of the resource, of the request or of the principal. `key` in lower case.
pub fn tag_of(key: &str) -> Option<&str> {
    let (what, tag) = key.split_once('/')?;
    what.ends_with("tag").then_some(tag)
}

/// In the context of every request, so that `…IfExists` changes nothing.
pub fn always_present(key: &str) -> bool {
    catalogue()
        .global_condition_key(key)
        .is_some_and(|k| k.presence == KeyPresence::Always)
}

/// The type of a key as AWS documents it, without `ArrayOf`; the key in lower case.
pub fn key_type(key: &str) -> Option<&'static str> {
    if let Some(global) = catalogue().global_condition_key(key) {
        return Some(global.type_name);
    }
    let (prefix, _) = key.split_once(':')?;
    let name = catalogue().service(prefix)?.condition_key(key)?.type_name();
    Some(name.strip_prefix("ArrayOf").unwrap_or(name))
}

/// Whether a key has several values in one request; `None` where nothing says.
pub fn is_multivalued(key: &str) -> Option<bool> {
    // A token has one subject and, as AWS compares it, one audience. IAM User Guide, "IAM and AWS STS condition context keys".
    if key.contains('.') && matches!(key.rsplit(':').next(), Some("aud" | "azp" | "sub")) {
        return Some(false);
    }
    if let Some(global) = catalogue().global_condition_key(key) {
        return Some(global.multivalued);
    }
    let (prefix, _) = key.split_once(':')?;
    let known = catalogue().service(prefix)?.condition_key(key)?;
    Some(known.is_multivalued())
}

/// Whether an operator compares values of a key's type.
/// IAM User Guide, "IAM JSON policy elements: Condition operators".
pub fn operator_fits_type(key: &str, type_name: &str, operator: Operator) -> bool {
    use OperatorFamily::{Arn, Binary, Bool, Date, IpAddress, Numeric, String};
    // The value of an encryption context is text of the caller's, often an ARN. Amazon CloudWatch Logs User Guide, "Encrypt log
    // data in CloudWatch Logs using AWS Key Management Service".
    if operator.family == Arn && key.starts_with("kms:encryptioncontext:") {
        return true;
    }
    match type_name {
        "String" => operator.family == String,
        "ARN" => matches!(operator.family, Arn | String),
        "Bool" => operator.family == Bool,
        "Numeric" | "Long" | "Integer" => operator.family == Numeric,
        "Date" => matches!(operator.family, Date | Numeric),
        "IPAddress" => operator.family == IpAddress,
        "Binary" => operator.family == Binary,
        _ => true,
    }
}
