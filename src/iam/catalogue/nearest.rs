//! "Did you mean": the name of AWS's that was probably meant. Looks at every name, so it is for messages only.

use super::{AccessLevel, Action, Catalogue, Service};
use crate::edit_distance::{nearest, nearest_within, nearest_word};
use crate::iam::actions::{ActionSet, matching};
use crate::iam::{glob, sdk};

impl Catalogue {
    /// The current action that is meant by a name that is not one: a slip of the pen; else the same thing with a verb that the
    /// service uses for it (`CreateItem` is `PutItem`); else the nearest name. It is looked for in the service, or, where
    /// there is no such service, in one with a similar prefix. `beside` are actions that are written with it: no one
    /// means one of these by a name that is not nearly the same.
    pub fn did_you_mean_action(&self, name: &str, beside: &ActionSet) -> Option<&'static str> {
        let (prefix, action) = name.split_once(':')?;
        let service = match self.service(prefix) {
            Some(service) => service,
            None => self.service(self.did_you_mean_service(prefix)?)?,
        };
        let head = service.prefix().len() + 1;
        let current = service.actions().filter(|a| !a.is_retired());
        let current: Vec<(&str, Action)> = current
            .map(|a| (a.name().get(head..).unwrap_or(""), a))
            .filter(|(name, a)| same_verb(action, name) && !exceeds_verb(action, a.level()))
            .collect();
        let fresh = |a: &Action| !beside.contains(a.id());
        nearest_within(action, SLIP, current.iter().copied())
            .or_else(|| {
                other_verbs(action).find_map(|meant| {
                    let same = self.action(&format!("{}:{meant}", service.prefix()))?;
                    (!same.is_retired() && fresh(&same) && !exceeds_verb(action, same.level())).then_some(same)
                })
            })
            .or_else(|| {
                let fresh = current.iter().copied().filter(|(_, a)| fresh(a));
                match noun(action) {
                    "" => nearest(action, fresh),
                    // The verb is the same: what is done to what decides.
                    thing => nearest(thing, fresh.map(|(name, a)| (noun(name), a))),
                }
            })
            .map(Action::name)
    }

    /// What `prefix:name` means where the prefix is not one of IAM: the same action, or the same pattern, of the service that
    /// is meant, or the action of this name that one service alone has.
    pub fn did_you_mean_prefix(&self, prefix: &str, name: &str) -> Option<String> {
        let near = self.did_you_mean_service(prefix).map(|near| format!("{near}:{name}"));
        let there = |text: &String| matching(text).next().is_some();
        near.filter(there).or_else(|| {
            if glob::is_pattern(name) {
                return None;
            }
            let current = self.services().filter(|s| !s.is_retired());
            let mut same = current
                .filter_map(|s| self.action(&format!("{}:{name}", s.prefix())))
                .filter(|a| !a.is_retired());
            let only = same.next()?;
            same.next().is_none().then(|| only.name().to_owned())
        })
    }

    /// The prefix that is meant: of the boto3 client with this name (`stepfunctions` → `states`), or the nearest one.
    pub fn did_you_mean_service(&self, prefix: &str) -> Option<&'static str> {
        if let Some((_, service)) = ENDPOINTS.iter().find(|(name, _)| name.eq_ignore_ascii_case(prefix)) {
            return self.service(service).map(|s| s.prefix());
        }
        if let Some(client) = sdk::client(&prefix.to_ascii_lowercase())
            && let Some(service) = self.service(client.iam_prefix())
        {
            return Some(service.prefix());
        }
        let current = self.services().filter(|s| !s.is_retired());
        nearest_word(prefix, current.map(Service::prefix))
    }

    /// The global condition key that is meant.
    pub fn did_you_mean_global_key(&self, name: &str) -> Option<&'static str> {
        nearest_word(name, self.global_condition_keys().map(|k| k.name))
    }

    /// The service principal that is meant. One that begins with the prefix of a service may be that service's own.
    pub fn did_you_mean_service_principal(&self, name: &str) -> Option<&'static str> {
        let prefix = name.split('.').next().unwrap_or(name);
        match self.service(prefix) {
            Some(_) => None,
            None => nearest_word(name, self.service_principals()),
        }
    }
}

/// Names of endpoints, where they are not the prefix, and the prefix.
/// AWS General Reference, "Service endpoints and quotas"; AWS PrivateLink Guide, "AWS services that integrate with AWS PrivateLink".
const ENDPOINTS: [(&str, &str); 32] = [
    ("api.ecr", "ecr"),
    ("api.mediatailor", "mediatailor"),
    ("api.pricing", "pricing"),
    ("api.sagemaker", "sagemaker"),
    ("bedrock-agent", "bedrock"),
    ("bedrock-agent-runtime", "bedrock"),
    ("bedrock-runtime", "bedrock"),
    ("codecommit-fips", "codecommit"),
    ("data.iot", "iot"),
    ("dkr.ecr", "ecr"),
    ("ecr.api", "ecr"),
    ("ecr.dkr", "ecr"),
    ("ecs-agent", "ecs"),
    ("ecs-telemetry", "ecs"),
    ("efs", "elasticfilesystem"),
    ("email", "ses"),
    ("email-smtp", "ses"),
    ("git-codecommit", "codecommit"),
    ("git-codecommit-fips", "codecommit"),
    ("iot.data", "iot"),
    ("kinesis-firehose", "firehose"),
    ("kinesis-streams", "kinesis"),
    ("models.lex", "lex"),
    ("monitoring", "cloudwatch"),
    ("portal.sso", "sso"),
    ("rds-data-api", "rds-data"),
    ("runtime.lex", "lex"),
    ("runtime.sagemaker", "sagemaker"),
    ("sagemaker.api", "sagemaker"),
    ("sagemaker.runtime", "sagemaker"),
    ("streams.dynamodb", "dynamodb"),
    ("tagging", "tag"),
];

/// So many letters are typed wrong without another word being meant.
const SLIP: usize = 2;

/// Of [`VERBS`], those that change nothing.
const READING: usize = 1;

/// Verbs that AWS's services use for one another.
const VERBS: [&[&str]; 6] = [
    &["Put", "Create", "Add", "Insert", "Write", "Upload", "Register"],
    &["Get", "Describe", "Read", "Fetch", "View", "List"],
    &["Delete", "Remove", "Terminate", "Deregister", "Destroy"],
    &["Update", "Modify", "Put", "Set", "Change", "Edit"],
    &["Start", "Run", "Execute", "Begin"],
    &["Stop", "Cancel", "Abort", "End", "Terminate"],
];

/// What a verb is put before: `BatchGetItem` gets items.
const MODIFIERS: [&str; 3] = ["Batch", "Bulk", "Admin"];

fn without_modifier(name: &str) -> &str {
    MODIFIERS
        .iter()
        .find_map(|m| {
            name.strip_prefix(m)
                .filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
        })
        .unwrap_or(name)
}

/// The first word of a name that is a verb.
fn verb(name: &str) -> &str {
    let name = without_modifier(name);
    let end = name
        .char_indices()
        .skip(1)
        .find(|(_, c)| c.is_ascii_uppercase())
        .map_or(name.len(), |(i, _)| i);
    &name[..end]
}

/// What follows the verb of a name.
fn noun(name: &str) -> &str {
    let at = name.len() - without_modifier(name).len() + verb(name).len();
    name.get(at..).unwrap_or("")
}

/// Whether two names have one verb, or verbs that AWS's services use for one another, slips aside.
fn same_verb(a: &str, b: &str) -> bool {
    // A name in one case has no words.
    if noun(a).is_empty()
        && a.len() > verb(b).len()
        && a.get(..verb(b).len()).is_some_and(|v| v.eq_ignore_ascii_case(verb(b)))
    {
        return true;
    }
    let (a, b) = (verb(a), verb(b));
    let known = |v: &str| {
        VERBS
            .iter()
            .any(|verbs| verbs.iter().any(|w| w.eq_ignore_ascii_case(v)))
    };
    let one_set = |a: &str, b: &str| {
        VERBS.iter().any(|verbs| {
            let has = |v: &str| verbs.iter().any(|w| w.eq_ignore_ascii_case(v));
            has(a) && has(b)
        })
    };
    if a.eq_ignore_ascii_case(b) || one_set(a, b) {
        return true;
    }
    // A verb that is spelled right is the one that is meant.
    !known(a) && nearest_within(a, SLIP, [(b, ())]).is_some()
}

/// Whether an action of this level does more than the verb of `name` says.
fn exceeds_verb(name: &str, level: AccessLevel) -> bool {
    let reads = VERBS[READING].iter().any(|v| v.eq_ignore_ascii_case(verb(name)));
    reads && !matches!(level, AccessLevel::List | AccessLevel::Read)
}

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
