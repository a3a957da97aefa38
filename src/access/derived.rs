//! Condition keys whose values follow from who asks and for what.
//!
//! A key is set only where the documentation says that it is always there for such a caller and that its value is what the
//! ARNs say. IAM User Guide, "AWS global condition context keys", and for the principal's keys "IAM policy elements: Variables
//! and tags", "Principal key values":
//!
//! | key | root user | user | role session | federated user | service | anonymous |
//! |---|---|---|---|---|---|---|
//! | `aws:PrincipalArn` | its ARN | its ARN | the role's ARN | its ARN | – | absent |
//! | `aws:PrincipalAccount` | account | account | account | account | – | `anonymous` |
//! | `aws:PrincipalType` | `Account` | `User` | `AssumedRole` | `FederatedUser` | – | `Anonymous` |
//! | `aws:userid` | account | – | – | `account:name` | – | `anonymous` |
//! | `aws:username` | absent | name | absent | absent | absent | absent |
//! | `aws:PrincipalIsAWSService` | false | false | false | false | true | absent |
//! | `aws:PrincipalServiceName` | absent | absent | absent | absent | its name | absent |
//!
//! `–`: the value does not follow. `aws:ResourceAccount` and `s3:ResourceAccount` are the account of the resource;
//! `kms:CallerAccount` is the account of the caller (AWS KMS Developer Guide, "AWS KMS condition keys").

use super::request::{AccessRequest, Caller, CallerKind, ContextValue, RequestContext};

/// The context of a request, with the keys that follow; keys that it gives stay as they are.
pub(super) fn context(request: &AccessRequest, resource_account: Option<&str>) -> RequestContext {
    let mut context = request.context.clone();
    let mut set = |key: &str, value: &str| context.add(key, ContextValue::Known(vec![value.to_owned()]));
    match &request.caller {
        Caller::Identity(identity) => {
            let kind = match identity.kind {
                CallerKind::Root => "Account",
                CallerKind::User => "User",
                CallerKind::Role | CallerKind::Session => "AssumedRole",
                CallerKind::FederatedUser => "FederatedUser",
            };
            set("aws:PrincipalType", kind);
            set("aws:PrincipalAccount", &identity.account);
            set("aws:PrincipalIsAWSService", "false");
            match identity.kind {
                // The path of the role is not in the ARN of a session; roles mostly have none.
                CallerKind::Session => set(
                    "aws:PrincipalArn",
                    &format!(
                        "arn:{}:iam::{}:role/{}",
                        identity.partition, identity.account, identity.name
                    ),
                ),
                _ => set("aws:PrincipalArn", &identity.arn),
            }
            match identity.kind {
                CallerKind::Root => set("aws:userid", &identity.account),
                CallerKind::User => set("aws:username", &identity.name),
                CallerKind::FederatedUser => {
                    set("aws:userid", &format!("{}:{}", identity.account, identity.name));
                }
                CallerKind::Role | CallerKind::Session => {}
            }
            if request.service() == "kms" {
                set("kms:CallerAccount", &identity.account);
            }
        }
        Caller::Service(name) => {
            set("aws:PrincipalIsAWSService", "true");
            set("aws:PrincipalServiceName", name);
            set("aws:PrincipalServiceNamesList", name);
        }
        Caller::Anonymous => {
            set("aws:PrincipalType", "Anonymous");
            set("aws:PrincipalAccount", "anonymous");
            set("aws:userid", "anonymous");
        }
        Caller::Provider(_) | Caller::CanonicalUser(_) => {}
    }
    if let Some(account) = resource_account {
        set("aws:ResourceAccount", account);
        if request.service() == "s3" {
            set("s3:ResourceAccount", account);
        }
    }
    absent(&mut context, &request.caller);
    context
}

/// Keys that such a caller never has.
fn absent(context: &mut RequestContext, caller: &Caller) {
    let user = caller.identity().is_some_and(|i| i.kind == CallerKind::User);
    let mut lacks = |key: &str| context.add(key, ContextValue::Absent);
    if !user {
        lacks("aws:username");
    }
    if !matches!(caller, Caller::Service(_)) {
        lacks("aws:PrincipalServiceName");
        lacks("aws:PrincipalServiceNamesList");
    }
    if matches!(caller, Caller::Anonymous) {
        lacks("aws:PrincipalArn");
        lacks("aws:PrincipalIsAWSService");
        lacks("aws:TokenIssueTime");
    }
}
