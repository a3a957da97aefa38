//! The answer to a call: a short text, and the JSON of the command.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

use super::tools::{AnswerKind, PlannedCall};
use crate::phrase::count;

/// A command that ended.
pub(super) struct Finished {
    /// `None` if a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Finished {
    /// The run did its work, whatever it found.
    fn is_done(&self) -> bool {
        matches!(self.code, Some(0 | 1))
    }
}

/// Why a command failed, without what is said only at a terminal.
fn reason(err: &str) -> &str {
    let err = err.trim();
    let err = err.strip_prefix("error: ").unwrap_or(err);
    err.split_once("\n\nFor more information")
        .map_or(err, |(reason, _)| reason)
}

pub(super) fn answer(call: &PlannedCall, finished: &[Finished]) -> CallToolResult {
    if let Some(failed) = finished.iter().find(|ran| !ran.is_done()) {
        let text = match reason(&failed.err) {
            "" => "overgrant was stopped",
            text => text,
        };
        return CallToolResult::error(vec![ContentBlock::text(text)]);
    }
    let (Some(first), last) = (finished.first(), finished.last()) else {
        return CallToolResult::error(vec![ContentBlock::text("nothing was run")]);
    };
    let notes = last.unwrap_or(first).err.trim();
    if call.kind == AnswerKind::Fix {
        return fixed(call, first, finished.get(1), notes);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(&first.out) else {
        // A page for people.
        return texts([first.out.trim(), notes]);
    };
    let text = match call.kind {
        AnswerKind::Check => check_text(&value),
        AnswerKind::Explain => format!("{}: {}", text_at(&value, "rule"), text_at(&value, "title")),
        AnswerKind::Needs => needs_text(&value),
        AnswerKind::Policy => "A policy that allows what the code calls, and no more.".to_owned(),
        AnswerKind::Can => can_text(&value),
        AnswerKind::WhoCan => who_can_text(&value),
        AnswerKind::Paths => paths_text(&value),
        AnswerKind::Diff | AnswerKind::Fix => diff_text(&value),
    };
    // A policy without some of its statements is another policy.
    let shortened = match call.kind {
        AnswerKind::Policy => None,
        _ => shorten(&mut value, call.limit),
    };
    let parts = [&text, shortened.as_deref().unwrap_or_default(), notes];
    // On one line, which is shorter by a third than with the indentation of the command.
    with_json(&parts, value.to_string(), value)
}

/// A short text, the JSON as text, and the JSON itself.
fn with_json(parts: &[&str], whole: String, value: Value) -> CallToolResult {
    let mut result = texts(parts.iter().copied());
    result.content.push(ContentBlock::text(whole));
    if value.is_object() {
        result.structured_content = Some(value);
    }
    result
}

fn texts<'t>(parts: impl IntoIterator<Item = &'t str>) -> CallToolResult {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    CallToolResult::success(vec![ContentBlock::text(parts.join("\n"))])
}

/// What fixes change, and what was written.
fn fixed(call: &PlannedCall, diff: &Finished, written: Option<&Finished>, notes: &str) -> CallToolResult {
    let Some(written) = written else {
        let text = match diff.out.is_empty() {
            true => "There is nothing to fix.",
            false => "This is what fixes would change. Nothing was written.",
        };
        let value = json!({"diff": diff.out, "written": false});
        return with_json(&[text, notes], diff.out.clone(), value);
    };
    let Ok(mut report) = serde_json::from_str::<Value>(&written.out) else {
        return texts([written.out.trim(), notes]);
    };
    let applied = list_at(&report, "applied").len();
    let text = format!(
        "{} made. After that: {}",
        count(applied, "fix was", "fixes were"),
        check_text(&report)
    );
    let shortened = shorten(&mut report, call.limit);
    let value = json!({"diff": diff.out, "written": applied > 0, "report": report});
    with_json(
        &[&text, shortened.as_deref().unwrap_or_default(), notes],
        value.to_string(),
        value,
    )
}

fn list_at<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text_at<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What was not read or judged; empty if all was.
fn doubts(value: &Value) -> String {
    let mut out = String::new();
    for (key, one, many) in [
        ("errors", "place could not be read", "places could not be read"),
        ("unjudged", "thing was not judged", "things were not judged"),
        ("unresolved", "call is not known", "calls are not known"),
        ("unknown", "change is not known", "changes are not known"),
    ] {
        match list_at(value, key).len() {
            0 => {}
            n => out.push_str(&format!(" {}.", count(n, one, many))),
        }
    }
    out
}

fn check_text(value: &Value) -> String {
    let number = |key: &str| {
        value
            .pointer(&format!("/summary/{key}"))
            .and_then(Value::as_u64)
            .unwrap_or(0)
    };
    let found: Vec<String> = ["critical", "high", "medium", "low"]
        .into_iter()
        .map(|severity| (number(&format!("by_severity/{severity}")), severity))
        .filter(|(n, _)| *n > 0)
        .map(|(n, severity)| format!("{n} {severity}"))
        .collect();
    let doubts = doubts(value);
    let files = usize::try_from(number("files/read")).unwrap_or(usize::MAX);
    let files = count(files, "file", "files");
    match (found.is_empty(), doubts.is_empty()) {
        (false, _) => format!("Findings in {files}: {}.{doubts}", found.join(", ")),
        (true, true) => format!("No findings in {files}."),
        (true, false) => format!("No findings in what could be judged of {files}.{doubts}"),
    }
}

fn needs_text(value: &Value) -> String {
    format!(
        "{}.{}",
        count(list_at(value, "calls").len(), "call", "calls"),
        doubts(value)
    )
}

fn can_text(value: &Value) -> String {
    let answer = |value: &Value| {
        format!(
            "{}: {} for {}: {}.",
            text_at(value, "decision"),
            text_at(value, "action"),
            text_at(value, "principal"),
            text_at(value, "why")
        )
    };
    match value.get("answers").and_then(Value::as_array) {
        Some(answers) => answers.iter().map(answer).collect::<Vec<_>>().join("\n"),
        None => answer(value) + &doubts(value),
    }
}

fn who_can_text(value: &Value) -> String {
    let names = list_at(value, "who").iter().take(20);
    let names: Vec<String> = names
        .map(|who| format!("{} ({})", text_at(who, "principal"), text_at(who, "decision")))
        .collect();
    let who = count(list_at(value, "who").len(), "principal", "principals");
    let through = list_at(value, "through").len();
    let mut out = format!("{who} for {}", text_at(value, "action"));
    if !names.is_empty() {
        out.push_str(&format!(": {}", names.join(", ")));
    }
    if through > 0 {
        out.push_str(&format!("; {} to become one of them", count(through, "way", "ways")));
    }
    format!("{out}.{}", doubts(value))
}

fn paths_text(value: &Value) -> String {
    let more = match value.get("more").and_then(Value::as_bool) {
        Some(true) => " There are more.",
        _ => "",
    };
    format!(
        "{}.{more}{}",
        count(list_at(value, "paths").len(), "path", "paths"),
        doubts(value)
    )
}

fn diff_text(value: &Value) -> String {
    let number = |key: &str| list_at(value, key).len();
    format!(
        "Gained: {}. Lost: {}. Paths opened: {}, closed: {}.{}",
        number("gained"),
        number("lost"),
        number("opened"),
        number("closed"),
        doubts(value)
    )
}

/// Leaves the first entries of each list; of findings and of what was not judged, the worst. Says how many are left out, if any.
fn shorten(value: &mut Value, limit: usize) -> Option<String> {
    let object = value.as_object_mut()?;
    let mut left_out = serde_json::Map::new();
    for (key, list) in object.iter_mut() {
        let Some(entries) = list.as_array_mut().filter(|entries| entries.len() > limit) else {
            continue;
        };
        if matches!(key.as_str(), "findings" | "unjudged") {
            // Of equal ones, the order stays.
            entries.sort_by_key(rank);
        }
        left_out.insert(key.clone(), (entries.len() - limit).into());
        entries.truncate(limit);
    }
    if left_out.is_empty() {
        return None;
    }
    let said: Vec<String> = left_out.iter().map(|(key, n)| format!("{n} of `{key}`")).collect();
    object.insert("left_out".to_owned(), left_out.into());
    Some(format!(
        "Left out: {}. A higher `limit`, where the tool has one, or fewer `paths` show them.",
        said.join(", ")
    ))
}

/// Findings that are to be acted on come first, the worst of them before others.
fn rank(finding: &Value) -> (bool, u8) {
    let severity = match text_at(finding, "severity") {
        "critical" => 0,
        "high" => 1,
        "medium" => 2,
        _ => 3,
    };
    (text_at(finding, "status") != "new", severity)
}
