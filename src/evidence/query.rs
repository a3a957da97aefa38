//! The query that counts events where they are: in Athena, CloudTrail Lake, or DuckDB.
//!
//! **Invariant:** what [`super::collect`] makes of its result is what it makes of the events themselves, but for rows with more
//! resources than are kept.

use super::row::UsedRow;
use crate::iam::cloudtrail::resource_parameters;

/// The columns of the result.
pub(super) mod columns {
    /// `use`, or `day` for a day with events.
    pub(in super::super) const KIND: &str = "kind";
    pub(in super::super) const USER_TYPE: &str = "user_type";
    pub(in super::super) const USER_ARN: &str = "user_arn";
    pub(in super::super) const ISSUER_ARN: &str = "issuer_arn";
    pub(in super::super) const ACCOUNT_ID: &str = "account_id";
    pub(in super::super) const USER_NAME: &str = "user_name";
    pub(in super::super) const INVOKED_BY: &str = "invoked_by";
    pub(in super::super) const IDENTITY_PROVIDER: &str = "identity_provider";
    pub(in super::super) const IDENTITY_STORE: &str = "identity_store";
    pub(in super::super) const EVENT_SOURCE: &str = "event_source";
    pub(in super::super) const EVENT_NAME: &str = "event_name";
    pub(in super::super) const ERROR_CODE: &str = "error_code";
    pub(in super::super) const EVENT_TYPE: &str = "event_type";
    pub(in super::super) const EVENT_CATEGORY: &str = "event_category";
    pub(in super::super) const MANAGEMENT_EVENT: &str = "management_event";
    pub(in super::super) const READ_ONLY: &str = "read_only";
    pub(in super::super) const AWS_REGION: &str = "aws_region";
    pub(in super::super) const RECIPIENT_ACCOUNT: &str = "recipient_account";
    /// Names of the request's parameters, joined by commas.
    pub(in super::super) const PARAMETER_NAMES: &str = "parameter_names";
    /// A JSON object of those that name resources.
    pub(in super::super) const PARAMETERS: &str = "parameters";
    /// A JSON array of `TYPE=ARN`.
    pub(in super::super) const RESOURCE_LIST: &str = "resource_list";
    pub(in super::super) const IS_CUT: &str = "is_cut";
    pub(in super::super) const CALLS: &str = "calls";
    pub(in super::super) const FIRST_DAY: &str = "first_day";
    pub(in super::super) const LAST_DAY: &str = "last_day";

    /// Those that make two events the same, in the order of the result, without what names resources.
    pub(in super::super) const SAME: [&str; 18] = [
        USER_TYPE,
        USER_ARN,
        ISSUER_ARN,
        ACCOUNT_ID,
        USER_NAME,
        INVOKED_BY,
        IDENTITY_PROVIDER,
        IDENTITY_STORE,
        EVENT_SOURCE,
        EVENT_NAME,
        ERROR_CODE,
        EVENT_TYPE,
        EVENT_CATEGORY,
        MANAGEMENT_EVENT,
        READ_ONLY,
        AWS_REGION,
        RECIPIENT_ACCOUNT,
        PARAMETER_NAMES,
    ];

    /// All, in the order of the result.
    pub(in super::super) fn all() -> impl Iterator<Item = &'static str> {
        let last = [PARAMETERS, RESOURCE_LIST, IS_CUT, CALLS, FIRST_DAY, LAST_DAY];
        [KIND].into_iter().chain(SAME).chain(last)
    }
}

/// What runs the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryEngine {
    Athena,
    /// CloudTrail Lake.
    Lake,
    DuckDb,
}

impl QueryEngine {
    /// What is read if nothing else is named.
    pub fn default_table(self) -> &'static str {
        match self {
            Self::Athena => "cloudtrail_logs_pp",
            Self::Lake => "EVENT_DATA_STORE_ID",
            Self::DuckDb => "logs/**/*.json.gz",
        }
    }

    /// The part that takes what is counted out of the events.
    fn events(self) -> &'static str {
        match self {
            Self::Athena => include_str!("query/athena.sql"),
            Self::Lake => include_str!("query/lake.sql"),
            Self::DuckDb => include_str!("query/duckdb.sql"),
        }
    }

    /// The line that leaves older events out.
    fn since(self, days: u32) -> String {
        match self {
            Self::Athena => format!(
                "    AND eventtime >= date_format(current_timestamp - INTERVAL '{days}' DAY, '%Y-%m-%dT%H:%i:%sZ')\n    \
                 -- Without this line if the table has no partition for each day.\n    \
                 AND \"timestamp\" >= date_format(current_timestamp - INTERVAL '{days}' DAY, '%Y/%m/%d')\n"
            ),
            Self::Lake => format!("    AND eventTime >= current_timestamp - INTERVAL '{days}' DAY\n"),
            Self::DuckDb => format!(
                "    AND event->>'$.eventTime' >= strftime(now() AT TIME ZONE 'UTC' - INTERVAL {days} DAY, '%Y-%m-%dT%H:%M:%SZ')\n"
            ),
        }
    }

    /// A parameter of a request.
    fn parameter(self, name: &str) -> String {
        match self {
            Self::Athena => format!("json_extract_scalar(requestparameters, '$.{name}')"),
            Self::Lake => format!("element_at(requestParameters, '{name}')"),
            Self::DuckDb => format!("event->>'$.requestParameters.{name}'"),
        }
    }

    fn object(self) -> String {
        let names = resource_parameters();
        let values: Vec<String> = names.iter().map(|n| self.parameter(n)).collect();
        match self {
            Self::Athena | Self::Lake => {
                let names: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
                let indent = "\n          ";
                format!(
                    "MAP(\n        ARRAY[{indent}{}\n        ],\n        ARRAY[{indent}{}\n        ])",
                    names.join(&format!(",{indent}")),
                    values.join(&format!(",{indent}"))
                )
            }
            Self::DuckDb => {
                let pairs = names.iter().zip(values).map(|(n, v)| format!("'{n}', {v}"));
                format!(
                    "json_object(\n        {})",
                    pairs.collect::<Vec<_>>().join(",\n        ")
                )
            }
        }
    }
}

/// The part that counts, which is the same in all dialects.
const COUNT: &str = include_str!("query/count.sql");

/// The text of a query over a table (of DuckDB: files), of the last days or all.
pub fn query_text(engine: QueryEngine, table: &str, days: Option<u32>) -> String {
    let same = columns::SAME.join(",\n    ");
    let table = match engine {
        QueryEngine::DuckDb => table.replace('\'', "''"),
        QueryEngine::Athena | QueryEngine::Lake => table.to_owned(),
    };
    [engine.events(), COUNT]
        .concat()
        .replace("{TABLE}", &table)
        .replace("{SINCE}\n", &days.map_or_else(String::new, |d| engine.since(d)))
        .replace("{PARAMETERS}", &engine.object())
        .replace("{SAME}", &same)
        .replace(
            "{SAME_NULLS}",
            &columns::SAME
                .map(|c| format!("CAST(NULL AS VARCHAR) AS {c}"))
                .join(",\n    "),
        )
        .replace("{MOST}", &(UsedRow::MOST_RESOURCES + 1).to_string())
}
