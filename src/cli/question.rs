//! A question about one repository: may someone do something?

use super::{CliFailure, terminal};
use crate::access::{AccessRequest, Caller, ContextValue, Decision, RequestContext, decide};
use crate::iam::arn::is_account_id;
use crate::iam::resource_fit::may_be_resource_of;
use crate::iam::{ActionSet, catalogue};
use crate::project::{IdentityId, Project, RepositoryPlace, RequestDocuments, ResourceId};
use crate::source::{Span, Text};

/// The place that a question is about.
pub(super) fn place<'p>(project: &'p Project<'p>, who: &str, resource: Option<&str>) -> RepositoryPlace<'p> {
    RepositoryPlace::of_names(project, [who].into_iter().chain(resource))
}

/// One action, and no pattern. Of one that AWS does not document, a note says so: the answer is about the name.
pub(super) fn check_action(action: &str) -> Result<(), CliFailure> {
    let is_plain = |t: &str| !t.is_empty() && !t.contains(['*', '?', ':']);
    if !action.split_once(':').is_some_and(|(a, b)| is_plain(a) && is_plain(b)) {
        return Err(CliFailure::Usage(format!(
            "`{action}` is not an action such as `s3:GetObject`"
        )));
    }
    if catalogue().action(action).is_none() {
        let near = catalogue().did_you_mean_action(action, &ActionSet::default());
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let date = catalogue().data_date();
        terminal::note(&format!("note: AWS documented no action `{action}` by {date}{near}"));
    }
    Ok(())
}

pub(super) fn is_arn(resource: &str) -> bool {
    resource == "*" || resource.starts_with("arn:")
}

pub(super) fn caller(who: &str) -> Option<Caller> {
    match who {
        "public" => Some(Caller::Anonymous),
        _ => Caller::parse(who),
    }
}

/// Resources of one name that are tried.
const MAX_DECLARED: usize = 20;

/// What is asked of one repository.
#[derive(Clone)]
pub(super) struct Question<'q, 'p> {
    /// Condition keys that are given, and their values.
    pub(super) context: &'q [(String, String)],
    /// The ARN or the address; `None` for any resource.
    pub(super) resource: Option<&'q str>,
    pub(super) place: &'q RepositoryPlace<'p>,
    pub(super) identity: Option<IdentityId>,
    pub(super) caller: Caller,
    pub(super) action: &'q str,
}

impl Question<'_, '_> {
    pub(super) fn principal(&self) -> String {
        match &self.caller {
            Caller::Identity(identity) => identity.arn.clone(),
            Caller::Service(name) | Caller::Provider(name) | Caller::CanonicalUser(name) => name.clone(),
            Caller::Anonymous => "anonymous".to_owned(),
        }
    }

    /// Without a resource, the request to which the answer is best: for `*`, for what the caller's policies name, or for what
    /// the repository has by that name.
    pub(super) fn request(&self) -> (AccessRequest, RequestDocuments) {
        let (request, documents) = self.request_for(self.resource);
        if self.resource.is_some() {
            return (request, documents);
        }
        let first = rank(decide(&request, &documents.policies()).decision);
        if first == 0 {
            return (request, documents);
        }
        // What the action is never on says nothing.
        let known = catalogue().action(&request.action);
        let fits = |resource: &String| {
            let text = Text::synthetic(resource, Span::NOWHERE);
            known.is_none_or(|action| may_be_resource_of(&text, action))
        };
        let mut best = (first, request, documents);
        for named in best.2.allowed_resources(self.action).into_iter().filter(fits) {
            let declared = self.place.resources(&named);
            let arns = declared.iter().filter_map(|id| self.place.arn(*id)).take(MAX_DECLARED);
            for resource in arns.chain([named]) {
                let (request, documents) = self.request_for(Some(&resource));
                let rank = rank(decide(&request, &documents.policies()).decision);
                if rank < best.0 {
                    best = (rank, request, documents);
                }
            }
            if best.0 == 0 {
                break;
            }
        }
        (best.1, best.2)
    }

    fn request_for(&self, resource: Option<&str>) -> (AccessRequest, RequestDocuments) {
        let mut context = RequestContext::open();
        for (key, _) in self.context {
            let of_key = self.context.iter().filter(|(k, _)| k.eq_ignore_ascii_case(key));
            context.set(
                key,
                ContextValue::Known(of_key.map(|(_, value)| value.clone()).collect()),
            );
        }
        let on: Vec<ResourceId> = match resource {
            Some(text) => self.place.resources(text),
            None => Vec::new(),
        };
        let mut documents = self.place.documents(self.identity, &on);
        if self.identity.is_none() {
            documents.open_identity();
        }
        let resource = resource.map(|text| {
            let declared = on.iter().find_map(|id| self.place.arn(*id));
            declared.filter(|_| !is_arn(text)).unwrap_or_else(|| text.to_owned())
        });
        let decided_there =
            self.action.to_ascii_lowercase().starts_with("sts:assume") || self.action.starts_with("kms:");
        let account = resource
            .as_deref()
            .and_then(|r| r.split(':').nth(4))
            .unwrap_or_default();
        let is_elsewhere = is_account_id(account) && Some(account) != self.caller.account();
        if on.is_empty() && (decided_there || is_elsewhere || self.caller.identity().is_none()) {
            documents.open_resource();
        }
        // What is declared here is of the account here.
        let resource_account = (!on.is_empty()).then(|| self.place.account.clone());
        let request = AccessRequest {
            caller: self.caller.clone(),
            action: self.action.to_owned(),
            resources: vec![resource.unwrap_or_else(|| "*".to_owned())],
            resource_account,
            context,
        };
        (request, documents)
    }
}

/// The best answer first.
fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Allowed => 0,
        Decision::Unknown => 1,
        Decision::ExplicitlyDenied => 2,
        Decision::ImplicitlyDenied => 3,
    }
}
