//! CloudTrail: which actions it logs, and as what.

use super::catalogue::tables;

const LOGGING: &str = "cloudtrail-logging";

/// How CloudTrail logs the calls of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionLogging {
    /// As management events, which trails log unless they are told not to.
    Management,
    /// As data events of these resource types, which trails log only if they are told to.
    Data(Vec<&'static str>),
    /// Not at all, or not as an event of its own.
    Never,
}

/// How CloudTrail logs an action: `s3:GetObject`, in any case.
pub fn action_logging(action: &str) -> ActionLogging {
    let service = action.split_once(':').map_or(action, |(service, _)| service);
    let row = tables::row_of(LOGGING, action).or_else(|| tables::row_of(LOGGING, &format!("{service}:*")));
    match row.as_deref() {
        None => ActionLogging::Management,
        Some([_, "never", ..]) => ActionLogging::Never,
        Some([_, "data", types, ..]) => ActionLogging::Data(types.split(", ").collect()),
        Some(_) => ActionLogging::Management,
    }
}
