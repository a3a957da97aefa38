//! What is not an event: results of queries, last-accessed details, and findings.

use std::collections::BTreeMap;

use serde_json::Value;

use super::clean::{cleaned, cleaned_name};
use super::event::{
    LogEvent, LogResource, OnBehalfOf, RequestParameters, Scalar, SessionContext, SessionIssuer, UserIdentity,
};
use super::{Collector, EventWeight, NoEvent};
use crate::date::Date;
use crate::evidence::query::columns;
use crate::evidence::row::{EvidenceIdentity, EvidenceIdentityKind, LastUsed, Period, UnusedKind, UnusedPermission};

/// Whether a text begins with the columns of a query's result.
pub(super) fn is_table(head: &[u8]) -> bool {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let names: Vec<&str> = line.split(',').map(|n| n.trim().trim_matches('"')).collect();
    names.contains(&columns::KIND) && names.contains(&columns::FIRST_DAY)
}

impl Collector {
    /// Reads an object that is no event.
    pub(super) fn detail(&mut self, bytes: &[u8]) -> Result<(), NoEvent> {
        let value: Value = serde_json::from_slice(bytes).map_err(|_| NoEvent::Broken)?;
        if value.get(columns::KIND).is_some() && value.get(columns::FIRST_DAY).is_some() {
            return self.query_row(&cells(&value));
        }
        if let Some(services) = value.get("ServicesLastAccessed").and_then(Value::as_array) {
            return self.last_accessed(&value, services);
        }
        if let Some(rows) = value.pointer("/ResultSet/Rows").and_then(Value::as_array) {
            return self.athena(rows);
        }
        if let Some(rows) = value.get("QueryResultRows").and_then(Value::as_array) {
            return self.lake(rows);
        }
        if value.get("findingType").is_some() && value.get("resource").is_some() {
            return self.finding(&value);
        }
        Err(NoEvent::Other)
    }

    /// `aws athena get-query-results`: the first row of the first page is the header.
    fn athena(&mut self, rows: &[Value]) -> Result<(), NoEvent> {
        let cells = |row: &Value| -> Vec<String> {
            let data = row.get("Data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let text = |cell: &Value| {
                cell.get("VarCharValue")
                    .and_then(Value::as_str)
                    .unwrap_or("")
                    .to_owned()
            };
            data.iter().map(text).collect()
        };
        let mut rows = rows.iter().map(cells).peekable();
        // Other pages have no header; their columns are in the same order.
        let header: Vec<String> = match rows.next_if(|first| first.iter().any(|c| c == columns::KIND)) {
            Some(header) => header,
            None => columns::all().map(str::to_owned).collect(),
        };
        for row in rows {
            self.query_row(&header.iter().cloned().zip(row).collect())?;
        }
        Ok(())
    }

    /// `aws cloudtrail get-query-results`: a row is a list of objects with one column each.
    fn lake(&mut self, rows: &[Value]) -> Result<(), NoEvent> {
        for row in rows {
            let columns = row.as_array().map_or(&[][..], Vec::as_slice);
            self.query_row(&columns.iter().flat_map(cells).collect())?;
        }
        Ok(())
    }

    /// A row of a query's result.
    pub(super) fn query_row(&mut self, row: &BTreeMap<String, String>) -> Result<(), NoEvent> {
        let cell = |name: &str| row.get(name).map_or("", |c| c.trim());
        let day = |name: &str| Date::parse(cell(name)).ok_or(NoEvent::Broken);
        let seen = Period {
            first: day(columns::FIRST_DAY)?,
            last: day(columns::LAST_DAY)?,
        };
        if cell(columns::KIND) == "day" {
            self.saw_day(seen.first);
            return Ok(());
        }
        let names: Vec<&str> = cell(columns::PARAMETER_NAMES)
            .split(',')
            .filter(|n| !n.is_empty())
            .collect();
        let values: BTreeMap<String, Option<String>> =
            serde_json::from_str(cell(columns::PARAMETERS)).unwrap_or_default();
        let parameters = names.iter().map(|name| {
            let value = values.get(*name).and_then(Option::as_deref).unwrap_or("");
            (Scalar::of(name), Scalar::of(value))
        });
        let listed: Vec<String> = serde_json::from_str(cell(columns::RESOURCE_LIST)).unwrap_or_default();
        let resources = listed.iter().map(|item| {
            let (kind, arn) = item.split_once('=').unwrap_or(("", item));
            LogResource {
                arn: Scalar::of(arn),
                kind: Scalar::of(kind),
            }
        });
        let scalar = |name: &str| Scalar::of(cell(name));
        let event = LogEvent {
            user_identity: Some(UserIdentity {
                kind: scalar(columns::USER_TYPE),
                arn: scalar(columns::USER_ARN),
                account_id: scalar(columns::ACCOUNT_ID),
                user_name: scalar(columns::USER_NAME),
                invoked_by: scalar(columns::INVOKED_BY),
                identity_provider: scalar(columns::IDENTITY_PROVIDER),
                session_context: Some(SessionContext {
                    session_issuer: Some(SessionIssuer {
                        arn: scalar(columns::ISSUER_ARN),
                    }),
                }),
                on_behalf_of: Some(OnBehalfOf {
                    identity_store_arn: scalar(columns::IDENTITY_STORE),
                }),
            }),
            event_source: scalar(columns::EVENT_SOURCE),
            event_name: scalar(columns::EVENT_NAME),
            aws_region: scalar(columns::AWS_REGION),
            error_code: scalar(columns::ERROR_CODE),
            request_parameters: RequestParameters(parameters.collect()),
            resources: Some(resources.collect()),
            event_type: scalar(columns::EVENT_TYPE),
            event_category: scalar(columns::EVENT_CATEGORY),
            management_event: scalar(columns::MANAGEMENT_EVENT),
            read_only: scalar(columns::READ_ONLY),
            recipient_account_id: scalar(columns::RECIPIENT_ACCOUNT),
            ..LogEvent::default()
        };
        let count = cell(columns::CALLS).parse().map_err(|_| NoEvent::Broken)?;
        if event.event_source.get().is_none() || event.event_name.get().is_none() {
            return Err(NoEvent::Broken);
        }
        let weight = EventWeight {
            count,
            seen,
            is_cut: cell(columns::IS_CUT) == "true",
        };
        self.weighted(&event, weight)
    }

    /// The output of `aws iam get-service-last-accessed-details`. It does not say whose it is, unless something was used; `Arn` may be
    /// added to it.
    fn last_accessed(&mut self, report: &Value, services: &[Value]) -> Result<(), NoEvent> {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let as_of = report.get("JobCompletionDate").and_then(day_of);
        let given = text(report, "Arn").or_else(|| text(report, "arn"));
        let mut entities: Vec<String> = services
            .iter()
            .filter_map(|s| text(s, "LastAuthenticatedEntity"))
            .collect();
        entities.sort();
        entities.dedup();
        let whose = match (given, entities.as_slice()) {
            (Some(arn), _) => Some(arn),
            (None, [one]) => Some(one.clone()),
            (None, []) => return Err(NoEvent::Other),
            // A policy or group: who did not use it is not said.
            (None, _) => None,
        };
        for service in services {
            let Some(namespace) = text(service, "ServiceNamespace") else {
                continue;
            };
            let entity = whose.clone().or_else(|| text(service, "LastAuthenticatedEntity"));
            let Some(identity) = entity.as_deref().and_then(identity_of) else {
                continue;
            };
            let mut add = |action: Option<String>, last: Option<Date>| {
                self.last_used.insert(LastUsed {
                    identity: identity.clone(),
                    namespace: cleaned(&namespace).into_owned(),
                    action: action.map(|a| cleaned(&a).into_owned()),
                    last,
                    as_of,
                });
                self.counts.details += 1;
            };
            add(None, service.get("LastAuthenticated").and_then(day_of));
            let actions = service.get("TrackedActionsLastAccessed").and_then(Value::as_array);
            for action in actions.into_iter().flatten() {
                if let Some(name) = text(action, "ActionName") {
                    add(
                        Some(full_name(&namespace, &name)),
                        action.get("LastAccessedTime").and_then(day_of),
                    );
                }
            }
        }
        Ok(())
    }

    /// A finding of `aws accessanalyzer get-finding-v2`, or its summary in `list-findings-v2`.
    fn finding(&mut self, finding: &Value) -> Result<(), NoEvent> {
        let text = |key: &str| finding.get(key).and_then(Value::as_str).unwrap_or("");
        let kind = match text("findingType") {
            "UnusedIAMRole" => UnusedKind::Role,
            "UnusedPermission" => UnusedKind::Permission,
            "UnusedIAMUserAccessKey" => UnusedKind::AccessKey,
            "UnusedIAMUserPassword" => UnusedKind::Password,
            _ => return Err(NoEvent::Other),
        };
        self.counts.details += 1;
        let identity = identity_of(text("resource")).ok_or(NoEvent::Other)?;
        if !matches!(text("status"), "ACTIVE" | "") {
            return Ok(());
        }
        let as_of = finding.get("analyzedAt").and_then(day_of);
        let mut add = |action: Option<String>, last: Option<Date>| {
            self.unused.insert(UnusedPermission {
                identity: identity.clone(),
                kind,
                action: action.map(|a| cleaned(&a).into_owned()),
                last,
                as_of,
            });
        };
        let details = finding.get("findingDetails").and_then(Value::as_array);
        let details = details.map_or(&[][..], Vec::as_slice);
        let last_of = |value: &Value| value.get("lastAccessed").and_then(day_of);
        if kind != UnusedKind::Permission {
            let inner = details.iter().filter_map(Value::as_object).flat_map(|d| d.values());
            add(None, inner.filter_map(last_of).max());
            return Ok(());
        }
        for detail in details.iter().filter_map(|d| d.get("unusedPermissionDetails")) {
            let Some(namespace) = detail.get("serviceNamespace").and_then(Value::as_str) else {
                continue;
            };
            let actions = detail.get("actions").and_then(Value::as_array);
            let actions = actions.map_or(&[][..], Vec::as_slice);
            if actions.is_empty() {
                add(Some(format!("{namespace}:*")), last_of(detail));
            }
            for action in actions {
                if let Some(name) = action.get("action").and_then(Value::as_str) {
                    add(Some(full_name(namespace, name)), last_of(action));
                }
            }
        }
        Ok(())
    }
}

fn full_name(namespace: &str, action: &str) -> String {
    match action.contains(':') {
        true => action.to_owned(),
        false => format!("{namespace}:{action}"),
    }
}

fn cells(row: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = row.as_object().into_iter().flatten();
    row.map(|(name, value)| (name.to_ascii_lowercase(), text(value)))
        .collect()
}

/// `2026-10-27T08:00:00+00:00`, or seconds since 1970.
fn day_of(value: &Value) -> Option<Date> {
    match value {
        Value::String(text) => Date::of_time(text).or_else(|| Date::parse(text.get(..10)?)),
        Value::Number(number) => Date::of_time(&number.to_string()),
        _ => None,
    }
}

fn identity_of(arn: &str) -> Option<EvidenceIdentity> {
    let kind = match arn.splitn(6, ':').nth(5)? {
        name if name.starts_with("role/") => EvidenceIdentityKind::Role,
        name if name.starts_with("user/") => EvidenceIdentityKind::User,
        "root" => EvidenceIdentityKind::Root,
        _ => return None,
    };
    Some(EvidenceIdentity {
        kind,
        name: cleaned_name(arn).into_owned(),
    })
}
