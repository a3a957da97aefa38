//! An event of CloudTrail, as far as it is read, and who made it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::evidence::row::{EvidenceIdentity, EvidenceIdentityKind, is_account};

/// A text of JSON; numbers and truth values are texts too, everything else is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scalar<'a>(pub(super) Option<Cow<'a, str>>);

impl<'a> Scalar<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self((!text.is_empty()).then_some(Cow::Borrowed(text)))
    }

    /// `None` also if it is empty.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|t| !t.is_empty())
    }

    pub(super) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor).map(|(scalar, _)| scalar)
    }
}

/// Gives the text, and whether there is a value at all: not null, an empty list, or an empty object.
struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = (Scalar<'de>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok((Scalar(Some(Cow::Borrowed(text))), true))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((Scalar(Some(Cow::Owned(text.to_owned()))), true))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok((Scalar(Some(Cow::Borrowed(if value { "true" } else { "false" }))), true))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok((Scalar(Some(Cow::Owned(value.to_string()))), true))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok((Scalar(Some(Cow::Owned(value.to_string()))), true))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok((Scalar(Some(Cow::Owned(value.to_string()))), true))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok((Scalar(None), false))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut is_there = false;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            is_there = true;
        }
        Ok((Scalar(None), is_there))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut is_there = false;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            is_there = true;
        }
        Ok((Scalar(None), is_there))
    }
}

/// One value of a request, with whether it is there.
struct ParameterValue<'a>(Scalar<'a>, bool);

impl<'de: 'a, 'a> Deserialize<'de> for ParameterValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (scalar, is_there) = deserializer.deserialize_any(ScalarVisitor)?;
        Ok(Self(scalar, is_there))
    }
}

/// The parameters of a request at its top, without those that are null or empty.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestParameters<'a>(pub(super) Vec<(Scalar<'a>, Scalar<'a>)>);

impl RequestParameters<'_> {
    /// The text of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key.text() == name);
        found.and_then(|(_, value)| value.get())
    }

    /// Whether one is there, by its name in the API: `TagSpecifications` is logged as `tagSpecificationSet` by EC2, and `ACL` as
    /// `x-amz-acl` by S3.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| is_same_parameter(key.text(), name))
    }
}

fn is_same_parameter(logged: &str, name: &str) -> bool {
    let logged = logged.strip_prefix("x-amz-").unwrap_or(logged);
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase());
        letters.collect()
    };
    let stem = |text: &str| {
        let text = plain(text);
        let text = text.strip_suffix("set").unwrap_or(&text);
        text.strip_suffix('s').unwrap_or(text).to_owned()
    };
    logged
        .get(..1)
        .is_some_and(|first| name.get(..1).is_some_and(|n| first.eq_ignore_ascii_case(n)))
        && stem(logged) == stem(name)
}

impl<'de: 'a, 'a> Deserialize<'de> for RequestParameters<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParametersVisitor)
    }
}

struct ParametersVisitor;

/// RequestParameters of one request that are kept.
const MOST_PARAMETERS: usize = 200;

impl<'de> Visitor<'de> for ParametersVisitor {
    type Value = RequestParameters<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some((key, ParameterValue(value, is_there))) = map.next_entry::<Scalar<'_>, ParameterValue<'_>>()? {
            if is_there && all.len() < MOST_PARAMETERS {
                all.push((key, value));
            }
        }
        Ok(RequestParameters(all))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(RequestParameters::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(RequestParameters::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(RequestParameters::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(RequestParameters::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(RequestParameters::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(RequestParameters::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(RequestParameters::default())
    }
}

/// An event. What is not here is not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LogEvent<'a> {
    #[serde(borrow)]
    pub(super) user_identity: Option<UserIdentity<'a>>,
    #[serde(borrow)]
    pub(super) event_time: Scalar<'a>,
    #[serde(borrow)]
    pub(super) event_source: Scalar<'a>,
    #[serde(borrow)]
    pub(super) event_name: Scalar<'a>,
    #[serde(borrow)]
    pub(super) aws_region: Scalar<'a>,
    #[serde(borrow)]
    pub(super) error_code: Scalar<'a>,
    #[serde(borrow)]
    pub(super) request_parameters: RequestParameters<'a>,
    #[serde(borrow)]
    pub(super) resources: Option<Vec<LogResource<'a>>>,
    #[serde(borrow)]
    pub(super) event_type: Scalar<'a>,
    #[serde(borrow)]
    pub(super) event_category: Scalar<'a>,
    #[serde(borrow)]
    pub(super) management_event: Scalar<'a>,
    #[serde(borrow)]
    pub(super) read_only: Scalar<'a>,
    #[serde(borrow)]
    pub(super) recipient_account_id: Scalar<'a>,
    /// Of digest files.
    #[serde(borrow)]
    pub(super) digest_end_time: Scalar<'a>,
}

/// A resource of an event.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LogResource<'a> {
    #[serde(borrow, alias = "arn")]
    #[serde(rename = "ARN")]
    pub(super) arn: Scalar<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Scalar<'a>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UserIdentity<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Scalar<'a>,
    #[serde(borrow)]
    pub(super) arn: Scalar<'a>,
    #[serde(borrow)]
    pub(super) account_id: Scalar<'a>,
    #[serde(borrow)]
    pub(super) user_name: Scalar<'a>,
    #[serde(borrow)]
    pub(super) invoked_by: Scalar<'a>,
    #[serde(borrow)]
    pub(super) identity_provider: Scalar<'a>,
    #[serde(borrow)]
    pub(super) session_context: Option<SessionContext<'a>>,
    #[serde(borrow)]
    pub(super) on_behalf_of: Option<OnBehalfOf<'a>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SessionContext<'a> {
    #[serde(borrow)]
    pub(super) session_issuer: Option<SessionIssuer<'a>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SessionIssuer<'a> {
    #[serde(borrow)]
    pub(super) arn: Scalar<'a>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OnBehalfOf<'a> {
    #[serde(borrow)]
    pub(super) identity_store_arn: Scalar<'a>,
}

/// A caller, in parts of the event where it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogCaller<'a> {
    pub(super) kind: EvidenceIdentityKind,
    pub(super) name: Cow<'a, str>,
}

impl From<&LogCaller<'_>> for EvidenceIdentity {
    fn from(caller: &LogCaller<'_>) -> Self {
        Self {
            kind: caller.kind,
            name: caller.name.clone().into_owned(),
        }
    }
}

impl UserIdentity<'_> {
    /// Who called, without the name of the session.
    pub(super) fn caller(&self) -> LogCaller<'_> {
        use EvidenceIdentityKind as Kind;
        let caller = |kind, name: Cow<'static, str>| LogCaller { kind, name };
        let borrowed = |kind, name| LogCaller {
            kind,
            name: Cow::Borrowed(name),
        };
        let issuer = self.session_context.as_ref().and_then(|c| c.session_issuer.as_ref());
        let issuer = issuer.and_then(|i| i.arn.get());
        let account = self.account_id.get().filter(|a| is_account(a));
        match self.kind.text() {
            "AssumedRole" | "Role" => match (issuer, self.arn.get()) {
                (Some(role), _) => borrowed(Kind::Role, role),
                (None, Some(arn)) => match role_of_session(arn) {
                    Some(role) => caller(Kind::Role, Cow::Owned(role)),
                    None if arn.contains(":role/") => borrowed(Kind::Role, arn),
                    None => borrowed(Kind::Unknown, "-"),
                },
                (None, None) => borrowed(Kind::Unknown, "-"),
            },
            "IAMUser" => match (self.arn.get(), account, self.user_name.get()) {
                (Some(arn), ..) => borrowed(Kind::User, arn),
                (None, Some(account), Some(name)) => {
                    caller(Kind::User, Cow::Owned(format!("arn:aws:iam::{account}:user/{name}")))
                }
                _ => borrowed(Kind::Unknown, "-"),
            },
            "Root" => match (self.arn.get(), account) {
                (Some(arn), _) => borrowed(Kind::Root, arn),
                (None, Some(account)) => caller(Kind::Root, Cow::Owned(format!("arn:aws:iam::{account}:root"))),
                (None, None) => borrowed(Kind::Root, "-"),
            },
            "FederatedUser" => match (issuer, account) {
                (Some(issuer), _) => borrowed(Kind::Federated, issuer),
                (None, Some(account)) => borrowed(Kind::Account, account),
                (None, None) => borrowed(Kind::Unknown, "-"),
            },
            "WebIdentityUser" => borrowed(Kind::Web, self.identity_provider.get().unwrap_or("-")),
            "SAMLUser" => borrowed(Kind::Saml, self.identity_provider.get().unwrap_or("-")),
            "AWSService" => borrowed(Kind::Service, self.invoked_by.get().unwrap_or("-")),
            "AWSAccount" => borrowed(Kind::Account, account.unwrap_or("-")),
            "IdentityCenterUser" => {
                let store = self.on_behalf_of.as_ref().and_then(|o| o.identity_store_arn.get());
                borrowed(Kind::IdentityCenter, store.or(account).unwrap_or("-"))
            }
            _ => match (self.invoked_by.get(), account) {
                (Some(service), _) => borrowed(Kind::Service, service),
                (None, _) => borrowed(Kind::Unknown, "-"),
            },
        }
    }
}

/// The role of `arn:aws:sts::111122223333:assumed-role/app/session`.
pub(super) fn role_of_session(arn: &str) -> Option<String> {
    let (head, rest) = arn.split_once(":assumed-role/")?;
    let (partition, account) = head.strip_prefix("arn:")?.split_once(":sts::")?;
    let name = rest.split('/').next()?;
    Some(format!("arn:{partition}:iam::{account}:role/{name}"))
}

/// Whether the code of an error says that the caller may not do it.
pub(super) fn is_denied(error_code: &str) -> bool {
    error_code.contains("AccessDenied")
        || error_code.contains("UnauthorizedOperation")
        || error_code.starts_with("AuthorizationError")
        || error_code == "UnauthorizedAccess"
}
