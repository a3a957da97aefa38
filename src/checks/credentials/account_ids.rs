//! Hard-coded AWS account IDs: informational, and off by default.

use crate::finding::{Cause, Finding};
use crate::iam::arn::is_account_id;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;

const RULE: RuleId = ids::AWS_ACCOUNT_ID_LITERAL;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    if !out.is_selected(RULE) {
        return;
    }
    let sources = cx.project.sources;
    for id in sources.ids().filter(|id| sources.file(*id).in_scope) {
        let text = sources.text(id);
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            for range in ids_of_line(line) {
                let span = Span::new(id, start + range.start, start + range.end);
                let mut f = Finding::new(RULE, "hard-coded AWS account ID")
                    .cause(Cause::Place(span))
                    .primary(span, "account ID");
                f.subject.kind = "text".to_owned();
                out.push(f);
            }
        }
    }
}

/// Twelve digits that a name on the same line identifies as an account ID.
fn ids_of_line(line: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = line.as_bytes();
    let mut out = Vec::new();
    if !bytes.iter().any(u8::is_ascii_digit) || line.len() > 1024 {
        return out;
    }
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        let (Some(id), Some(before)) = (line.get(start..at), line.get(..start)) else {
            continue;
        };
        if !is_account_id(id) {
            continue;
        }
        let name = before.trim_end_matches([' ', '\t', '"', '\'', '=', ':', '[', '(', '>']);
        let name: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        // A repeated digit and the account ID of the AWS documentation belong to no real account.
        let example = id == "123456789012" || id.bytes().all(|b| b == bytes[start]);
        if !example && is_account_name(&name) {
            out.push(start..at);
        }
    }
    out
}

fn is_account_name(name: &str) -> bool {
    ["accountid", "accountids", "awsaccount", "accountnumber", "account"]
        .iter()
        .any(|w| name.ends_with(w))
}
