//! Whether a trail has an action's calls.

use super::row::{Coverage, UsageEvidence};
use crate::iam::catalogue::{AccessLevel, catalogue};
use crate::iam::cloudtrail::{ActionLogging, action_logging};

/// Whether calls of an action would be in the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logged {
    /// Calls would be there: an action without a row was not used.
    Yes,
    /// CloudTrail never logs it, or logs it as another action's event.
    No,
    /// It depends on what the trail is set to log, and the logs do not show it.
    Unknown,
}

/// Services whose events are logged in one Region. AWS CloudTrail User Guide, "CloudTrail concepts", "Global service events".
const GLOBAL_SERVICES: [&str; 4] = ["cloudfront", "iam", "organizations", "route53"];
/// These Regions, of each partition.
const GLOBAL_REGIONS: [&str; 4] = ["us-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1"];

impl UsageEvidence {
    /// Whether the logs have the calls of an action (`s3:GetObject`) by identities of an account, on a resource: an ARN or a
    /// pattern of ARNs, `*` for any. `None` for the account: in some account of the coverage. A data event is logged only for
    /// resources of which some data event was seen.
    pub fn logged(&self, action: &str, account: Option<&str>, resource: &str) -> Logged {
        let logging = action_logging(action);
        if logging == ActionLogging::Never {
            return Logged::No;
        }
        let Some(known) = catalogue().action(action) else {
            return Logged::Unknown;
        };
        let prefix = known.service().prefix();
        let named = resource
            .split(':')
            .nth(3)
            .filter(|r| !r.is_empty() && !r.contains(['*', '?', '$']));
        let mut trails = self.coverage.iter().filter(|c| {
            account.is_none_or(|a| c.account == a)
                && named.is_none_or(|region| c.region == region)
                && (!GLOBAL_SERVICES.contains(&prefix) || GLOBAL_REGIONS.contains(&&*c.region))
        });
        let is_read = matches!(known.level(), AccessLevel::Read | AccessLevel::List);
        let has = match logging {
            ActionLogging::Never | ActionLogging::Unclear => false,
            ActionLogging::Management => {
                // These two sources can be left out of a trail.
                let optional = ["kms", "rds-data"].contains(&prefix);
                trails.any(|c| (if is_read { c.reads } else { c.writes }) && (!optional || saw_source(c, prefix)))
            }
            ActionLogging::Data(types) => trails.any(|c| {
                c.data.iter().filter(|d| types.contains(&&*d.resource_type)).any(|d| {
                    let class = if is_read { d.reads } else { d.writes };
                    class && d.containers.iter().any(|container| contains(container, resource))
                })
            }),
        };
        if has { Logged::Yes } else { Logged::Unknown }
    }
}

fn saw_source(trail: &Coverage, prefix: &str) -> bool {
    trail.sources.iter().any(|s| s.split('.').next() == Some(prefix))
}

/// Whether a pattern names only what is in a container: `arn:aws:s3:::a/x*` is in `arn:aws:s3:::a`.
fn contains(container: &str, pattern: &str) -> bool {
    let rest = pattern.strip_prefix(container);
    rest.is_some_and(|r| r.is_empty() || r.starts_with(['/', ':']))
}
