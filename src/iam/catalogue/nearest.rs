//! "Did you mean": the name of AWS's that was probably meant. Looks at every name, so it is for messages only.

use super::{Action, Catalogue, Service};
use crate::iam::ActionSet;
use crate::iam::sdk;
use crate::spelling::{nearest, nearest_within, nearest_word};

impl Catalogue {
    /// The current action that is meant by a name that is none: a slip of the pen; else the same thing with a verb that the
    /// service uses for it (`CreateItem` is `PutItem`); else the nearest name. It is looked for in the service, or, where
    /// there is no such service, in one with a similar prefix. `beside` are actions that are written with it: nobody
    /// means one of these by a name that is not nearly the same.
    pub fn did_you_mean_action(&self, name: &str, beside: &ActionSet) -> Option<&'static str> {
        let (prefix, action) = name.split_once(':')?;
        let service = match self.service(prefix) {
            Some(service) => service,
            None => self.service(self.did_you_mean_service(prefix)?)?,
        };
        let head = service.prefix().len() + 1;
        let current = service.actions().filter(|a| !a.is_gone());
        let current: Vec<(&str, Action)> = current.map(|a| (a.name().get(head..).unwrap_or(""), a)).collect();
        let fresh = |a: &Action| !beside.contains(a.id());
        nearest_within(action, SLIP, current.iter().copied())
            .or_else(|| {
                other_verbs(action).find_map(|meant| {
                    let same = self.action(&format!("{}:{meant}", service.prefix()))?;
                    (!same.is_gone() && fresh(&same)).then_some(same)
                })
            })
            .or_else(|| nearest(action, current.iter().copied().filter(|(_, a)| fresh(a))))
            .map(Action::name)
    }

    /// The prefix that is meant: of the boto3 client with this name (`stepfunctions` → `states`), or the nearest one.
    pub fn did_you_mean_service(&self, prefix: &str) -> Option<&'static str> {
        if let Some(client) = sdk::client(&prefix.to_ascii_lowercase())
            && let Some(service) = self.service(client.iam_prefix())
        {
            return Some(service.prefix());
        }
        let current = self.services().filter(|s| !s.is_gone());
        nearest_word(prefix, current.map(Service::prefix))
    }

    /// The global condition key that is meant.
    pub fn did_you_mean_global_key(&self, name: &str) -> Option<&'static str> {
        nearest_word(name, self.global_condition_keys().map(|k| k.name))
    }

    /// The service principal that is meant.
    pub fn did_you_mean_service_principal(&self, name: &str) -> Option<&'static str> {
        nearest_word(name, self.service_principals())
    }
}

/// So many letters are typed wrong without another word being meant.
const SLIP: usize = 2;

/// Verbs that AWS's services use for one another.
const VERBS: [&[&str]; 6] = [
    &["Put", "Create", "Add", "Insert", "Write", "Upload", "Register"],
    &["Get", "Describe", "Read", "Fetch", "View", "List"],
    &["Delete", "Remove", "Terminate", "Deregister", "Destroy"],
    &["Update", "Modify", "Put", "Set", "Change", "Edit"],
    &["Start", "Run", "Execute", "Begin"],
    &["Stop", "Cancel", "Abort", "End", "Terminate"],
];

/// The name with the other verbs that say what its verb says.
fn other_verbs(name: &str) -> impl Iterator<Item = String> + '_ {
    VERBS.into_iter().flat_map(move |verbs| {
        let noun = verbs.iter().find_map(|v| {
            let head = name.get(..v.len())?;
            head.eq_ignore_ascii_case(v).then(|| &name[v.len()..])
        });
        let noun = noun.filter(|n| !n.is_empty());
        noun.into_iter()
            .flat_map(move |n| verbs.iter().map(move |v| format!("{v}{n}")))
    })
}
