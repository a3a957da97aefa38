//! Whether a statement is about a request, apart from who asks.

use super::request::{AccessRequest, Caller, RequestContext};
use super::text::{Resolved, resolve_resource};
use super::{condition, derived};
use crate::iam::arn::is_account_id;
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::pattern::{self, Pattern};
use crate::iam::{Clause, Document, Statement, Truth, catalogue};

/// A request for one resource.
pub(super) struct ResourceRequest<'r> {
    pub(super) request: &'r AccessRequest,
    /// `*` for an action that supports nothing else.
    pub(super) resource: &'r str,
    pub(super) account: Option<&'r str>,
    pub(super) context: RequestContext,
}

impl<'r> ResourceRequest<'r> {
    pub(super) fn new(request: &'r AccessRequest, resource: &'r str) -> Self {
        // `aws`, as in the ARN of a managed policy, is no account.
        let in_arn = resource.split(':').nth(4).filter(|a| is_account_id(a));
        let account = request.resource_account.as_deref().or(in_arn);
        let account = account.or_else(|| request.caller.account());
        Self {
            request,
            resource: match works_on_star_only(&request.action, resource) {
                true => "*",
                false => resource,
            },
            account,
            context: derived::context(request, account),
        }
    }

    /// The caller and the resource are of one account.
    pub(super) fn is_same_account(&self) -> bool {
        let own = self.request.caller.account();
        own.is_some() && own == self.account
    }

    /// About assuming a role, which its trust policy decides.
    pub(super) fn is_for_trust(&self) -> bool {
        let action = self.request.action.to_ascii_lowercase();
        let is_role = self
            .resource
            .splitn(6, ':')
            .nth(5)
            .is_some_and(|r| r.starts_with("role/"));
        let assumes = action.starts_with("sts:assumerole");
        assumes && action != "sts:assumeroot" && (is_role || self.resource == "*")
            || is_role && matches!(&*action, "sts:tagsession" | "sts:setsourceidentity")
    }

    /// About a KMS key, which its key policy decides.
    pub(super) fn is_for_key(&self) -> bool {
        let mut parts = self.resource.splitn(6, ':').skip(2);
        parts.next() == Some("kms") && parts.nth(2).is_some_and(|r| r.starts_with("key/"))
    }

    /// Whether action, resource, and condition of a statement fit.
    pub(super) fn matches(&self, document: &Document, statement: &Statement) -> Truth {
        let has_variables = match &document.version {
            Some(version) => version.text.known().as_deref() == Some("2012-10-17"),
            None => false,
        };
        let action = statement.action.as_ref().map_or(Truth::No, |c| self.action(c));
        // Of a repository, it is known which statements no request of today matches.
        if action.is_no() || statement.dead.is_some() {
            return Truth::No;
        }
        // Of a trust policy: the role that it is on.
        let resource = statement.resource.as_ref();
        let resource = resource.map_or(Truth::Yes, |c| self.resource_clause(c, has_variables));
        if resource.is_no() {
            return Truth::No;
        }
        let conditions = condition::all_hold(&statement.conditions, &self.context, has_variables);
        let unsure = statement.open || statement.unlimited || statement.branch.is_some() || document.branch.is_some();
        let known = if unsure { Truth::Unknown } else { Truth::Yes };
        action.and(resource).and(conditions).and(known)
    }

    /// Case does not count. IAM User Guide, "IAM JSON policy elements: Action".
    fn action(&self, clause: &Clause) -> Truth {
        let action = &self.request.action;
        in_clause(clause, |item| match item.text.known() {
            Some(text) => glob::matches(&text, action, CaseSensitivity::Insensitive).into(),
            None => pattern::matches(&item.text, action, CaseSensitivity::Insensitive),
        })
    }

    /// Case counts. Where a variable has no value, the item matches nothing, and `NotResource` with it leaves the statement
    /// without effect.
    fn resource_clause(&self, clause: &Clause, has_variables: bool) -> Truth {
        let mut is_invalid = false;
        let truth = in_clause(clause, |item| match item.text.known() {
            None => pattern::matches(&item.text, self.resource, CaseSensitivity::Sensitive),
            Some(text) => match resolve_resource(&text, &self.context, has_variables) {
                Resolved::Pattern(pattern) => {
                    let all_of_s3 = || self.resource == "*" && self.request.service() == "s3";
                    let fits = pattern.matches_resource(self.resource);
                    // Amazon S3 User Guide, "Policies and permissions in Amazon S3": buckets have no account in their
                    // ARNs, so that all of them are all there is.
                    (fits || all_of_s3() && is_every_bucket(&pattern.literal())).into()
                }
                Resolved::Unknown => Truth::Unknown,
                Resolved::Missing => {
                    is_invalid = true;
                    Truth::No
                }
            },
        });
        if is_invalid && clause.negated { Truth::No } else { truth }
    }
}

/// One of the items matches, or of a `Not…` form none.
fn in_clause(clause: &Clause, mut matches: impl FnMut(&crate::iam::ClauseItem) -> Truth) -> Truth {
    let mut any = if clause.complete { Truth::No } else { Truth::Unknown };
    for item in &clause.items {
        let one = matches(item);
        any = any.or(if item.branch.is_some() {
            one.and(Truth::Unknown)
        } else {
            one
        });
        if any.is_yes() {
            break;
        }
    }
    if clause.negated { !any } else { any }
}

/// `arn:aws:s3:::*`.
fn is_every_bucket(pattern: &str) -> bool {
    pattern.strip_suffix(":s3:::*").is_some_and(|p| p.starts_with("arn:"))
}

/// Whether AWS knows no resource types for an action and checks it against `*`, whatever it is about.
/// Service Authorization Reference, "Actions, resources, and condition keys", "Actions table".
fn works_on_star_only(action: &str, resource: &str) -> bool {
    let known = catalogue().action(action).filter(|a| !a.is_retired() && !a.scopable());
    known.is_some_and(|a| {
        let arn = Pattern::plain(resource, CaseSensitivity::Sensitive);
        !a.is_checked_against(&arn).may_be()
    })
}

/// Whether a caller can have policies of its own.
pub(super) fn has_identity_policies(caller: &Caller) -> bool {
    caller.identity().is_some_and(|i| !i.is_root())
}
