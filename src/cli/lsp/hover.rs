//! What is shown where the mouse rests: what is found there, and what the name there means.

use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind, Position, Range};

use super::cursor::{self, CursorToken, Slot};
use super::describe;
use super::found::KeptFinding;
use super::text::Lines;
use super::workspace::Workspace;
use crate::iam::catalogue;
use crate::report::page_url;
use crate::source::LineIndex;

pub(super) fn hover(workspace: &mut Workspace, params: &HoverParams) -> Option<Hover> {
    let at = &params.text_document_position_params;
    let path = workspace.key(&at.text_document.uri);
    let text = workspace.text(&path)?;
    workspace.update(false);
    let index = LineIndex::new(&text);
    let lines = Lines::new(&text, &index, workspace.units);
    let offset = lines.offset(at.position);
    let token = cursor::token(&text, offset);
    let meaning = meaning(&text, &token);
    let found = workspace
        .found_in(&path)
        .into_iter()
        .filter(|f| contains(f.diagnostic.range, at.position));
    let mut parts: Vec<String> = found.map(|f| explanation(workspace, f)).collect();
    let mut range = meaning.is_some().then(|| lines.range(token.range.clone()));
    if range.is_none() {
        range = workspace
            .found_in(&path)
            .iter()
            .map(|f| f.diagnostic.range)
            .find(|r| contains(*r, at.position));
    }
    parts.extend(meaning);
    if parts.is_empty() {
        return None;
    }
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value: parts.join("\n\n---\n\n"),
        }),
        range,
    })
}

fn contains(range: Range, at: Position) -> bool {
    range.start <= at && at <= range.end
}

/// What a name means.
fn meaning(text: &str, token: &CursorToken<'_>) -> Option<String> {
    let name = token.text;
    if name.is_empty() || name.len() > MAX_NAME {
        return None;
    }
    if name.starts_with("arn:") {
        return describe::arn(name);
    }
    if let Some(principal) = describe::service_principal(name) {
        return Some(principal);
    }
    if let Some((operator, meaning)) = cursor::operator(name) {
        return Some(format!("**`{operator}`**: the value of the key {meaning}"));
    }
    let slot = cursor::slot(text, token.range.start);
    match slot {
        Some(Slot::Action) => describe::actions(name),
        Some(Slot::ConditionKey) => describe::condition_key(name),
        Some(Slot::ManagedPolicy) => catalogue().managed_policy(name).map(describe::managed_policy),
        Some(
            Slot::Resource | Slot::Principal | Slot::Operator | Slot::Service | Slot::ConditionValue | Slot::Effect,
        ) => None,
        None if name.contains(':') => describe::actions(name).or_else(|| describe::condition_key(name)),
        None => None,
    }
}

/// Longer names are looked up nowhere, in bytes.
const MAX_NAME: usize = 2048;

/// What was found, why it matters, and what to do.
fn explanation(workspace: &Workspace, found: &KeptFinding) -> String {
    let Some(rule) = &found.rule else {
        return found.diagnostic.message.clone();
    };
    let grade = match (found.severity, found.confidence) {
        (Some(severity), Some(confidence)) => format!(" ({}, {} confidence)", severity.name(), confidence.name()),
        _ => String::new(),
    };
    let mut out = format!("**[{rule}]({})**{grade}: {}", page_url(rule), found.diagnostic.message);
    if let Some(rule) = workspace.rule(rule) {
        out.push_str(&format!("\n\n{}", rule.docs().why.trim()));
    }
    for note in &found.notes {
        match note.strip_prefix("also: ") {
            Some(message) => out.push_str(&format!("\n\nAlso: {message}")),
            None => out.push_str(&format!("\n\nNote: {note}")),
        }
    }
    if let Some(help) = &found.help {
        out.push_str(&format!("\n\nHelp: {help}"));
    }
    out
}
