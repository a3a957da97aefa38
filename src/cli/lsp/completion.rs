//! What may be written at a place of a policy.

use std::collections::BTreeSet;

use lsp_types::{CompletionItem, CompletionItemKind, CompletionParams, CompletionTextEdit, InsertTextFormat, TextEdit};

use super::cursor::{self, CursorToken, OPERATORS, Slot};
use super::server::document_key;
use super::text::Lines;
use super::workspace::Workspace;
use crate::iam::catalogue;
use crate::iam::catalogue::{Action, Service};
use crate::source::LineIndex;

/// Bytes before and after a place in which the actions of its statement are looked for.
const STATEMENT: usize = 2 << 10;
/// More items than this are not offered.
const MAX_ITEMS: usize = 2_000;

/// One offer: what is written, what it is, and how it is shown.
struct CompletionOffer {
    label: String,
    detail: String,
    kind: CompletionItemKind,
    /// Where it has parts to fill in: the text with these marked.
    snippet: Option<String>,
}

impl CompletionOffer {
    fn new(label: impl Into<String>, detail: impl Into<String>, kind: CompletionItemKind) -> Self {
        Self {
            label: label.into(),
            detail: detail.into(),
            kind,
            snippet: None,
        }
    }
}

/// Items for a place; `snippets` if the client can fill in parts.
pub(super) fn complete(workspace: &Workspace, params: &CompletionParams, snippets: bool) -> Vec<CompletionItem> {
    let at = &params.text_document_position;
    let path = document_key(&at.text_document.uri);
    let Some(text) = workspace.text(&path) else {
        return Vec::new();
    };
    let index = LineIndex::new(&text);
    let lines = Lines::new(&text, &index, workspace.units);
    let offset = lines.offset(at.position);
    let token = cursor::token(&text, offset);
    let slot = cursor::slot(&text, token.range.start);
    let written = text.get(token.range.start..offset).unwrap_or_default();
    let offers = offers(&text, &token, slot, written);
    let is_yaml = [".yaml", ".yml", ".template"].iter().any(|end| path.ends_with(end));
    let quote = match token.quote {
        None if !is_yaml || text.get(token.range.end..).is_some_and(|t| t.starts_with('"')) => "\"",
        _ => "",
    };
    let range = lines.range(token.range.clone());
    let item = |offer: CompletionOffer| {
        let snippet = offer.snippet.filter(|_| snippets);
        let format = snippet.as_ref().map(|_| InsertTextFormat::SNIPPET);
        let new_text = snippet.unwrap_or_else(|| offer.label.clone());
        CompletionItem {
            kind: Some(offer.kind),
            detail: Some(offer.detail).filter(|detail| !detail.is_empty()),
            filter_text: Some(format!("{quote}{}", offer.label)),
            insert_text_format: format,
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range,
                new_text: format!("{quote}{new_text}{quote}"),
            })),
            label: offer.label,
            ..CompletionItem::default()
        }
    };
    offers.into_iter().take(MAX_ITEMS).map(item).collect()
}

fn offers(text: &str, token: &CursorToken<'_>, slot: Option<Slot>, written: &str) -> Vec<CompletionOffer> {
    let policy = "arn:aws:iam::aws:policy";
    match slot {
        Some(Slot::Action) => actions(written),
        Some(Slot::Service) => service_principals(),
        Some(Slot::Operator) => operators(),
        Some(Slot::ConditionKey) => condition_keys(written, &services_near(text, token.range.start)),
        Some(Slot::ManagedPolicy) => managed_policies(),
        Some(Slot::Effect) => ["Allow", "Deny"]
            .map(|word| CompletionOffer::new(word, "", CompletionItemKind::VALUE))
            .into(),
        _ if token.text.starts_with(policy) => managed_policies(),
        Some(Slot::Resource) => resources(written, &services_near(text, token.range.start)),
        Some(Slot::Principal) | None => Vec::new(),
    }
}

fn actions(written: &str) -> Vec<CompletionOffer> {
    let service = written
        .split_once(':')
        .and_then(|(prefix, _)| catalogue().service(prefix));
    let Some(service) = service else {
        let services = catalogue().services().filter(|s| !s.is_retired());
        let offer =
            |s: Service| CompletionOffer::new(format!("{}:", s.prefix()), "service", CompletionItemKind::MODULE);
        return services.map(offer).collect();
    };
    let offer =
        |action: Action| CompletionOffer::new(action.name(), action.level().name(), CompletionItemKind::FUNCTION);
    service.actions().filter(|a| !a.is_retired()).map(offer).collect()
}

fn service_principals() -> Vec<CompletionOffer> {
    let all = catalogue().service_principals();
    all.map(|name| CompletionOffer::new(name, "service principal", CompletionItemKind::CONSTANT))
        .collect()
}

fn operators() -> Vec<CompletionOffer> {
    let mut out = Vec::new();
    for (name, meaning) in OPERATORS {
        out.push(CompletionOffer::new(name, meaning, CompletionItemKind::OPERATOR));
    }
    for (name, meaning) in OPERATORS.iter().filter(|(name, _)| *name != "Null") {
        let detail = format!("{meaning}, or the key is missing");
        out.push(CompletionOffer::new(
            format!("{name}IfExists"),
            detail,
            CompletionItemKind::OPERATOR,
        ));
    }
    for set in ["ForAnyValue", "ForAllValues"] {
        for name in ["StringEquals", "StringLike", "ArnLike"] {
            let detail = if set == "ForAnyValue" {
                "for one of the values"
            } else {
                "for each of the values"
            };
            out.push(CompletionOffer::new(
                format!("{set}:{name}"),
                detail,
                CompletionItemKind::OPERATOR,
            ));
        }
    }
    out
}

/// The services of actions and ARNs that stand near a place.
fn services_near(text: &str, at: usize) -> Vec<Service> {
    let from = text.ceil_char_boundary(at.saturating_sub(STATEMENT));
    let to = text.floor_char_boundary((at + STATEMENT).min(text.len()));
    let words = text[from..to].split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '*')));
    let mut prefixes: BTreeSet<&str> = BTreeSet::new();
    for word in words {
        let mut parts = word.split(':');
        let prefix = match (parts.next(), parts.next(), parts.next()) {
            (Some("arn"), Some(_), Some(service)) => service,
            (Some(prefix), Some(name), None) if !name.is_empty() => prefix,
            _ => continue,
        };
        prefixes.insert(prefix);
    }
    prefixes
        .into_iter()
        .filter_map(|prefix| catalogue().service(prefix))
        .collect()
}

fn condition_keys(written: &str, near: &[Service]) -> Vec<CompletionOffer> {
    let named = written
        .split_once(':')
        .and_then(|(prefix, _)| catalogue().service(prefix));
    let services = named.as_ref().map_or(near, std::slice::from_ref);
    let mut out: Vec<CompletionOffer> = Vec::new();
    for service in services {
        for key in service.condition_keys().filter(|k| !k.name().starts_with("aws:")) {
            let detail = format!("{} of {}", key.type_name(), service.prefix());
            out.push(CompletionOffer::new(
                without_free_part(key.name()),
                detail,
                CompletionItemKind::PROPERTY,
            ));
        }
    }
    if named.is_none() {
        for key in catalogue().global_condition_keys() {
            let detail = format!("{}, global", key.type_name);
            out.push(CompletionOffer::new(
                without_free_part(key.name),
                detail,
                CompletionItemKind::PROPERTY,
            ));
        }
    }
    out.dedup_by(|a, b| a.label == b.label);
    out
}

/// `aws:ResourceTag/${TagKey}` up to what is to be filled in.
fn without_free_part(key: &str) -> &str {
    key.find(['$', '<']).map_or(key, |at| &key[..at])
}

fn managed_policies() -> Vec<CompletionOffer> {
    let current = catalogue().managed_policies().filter(|p| !p.deprecated);
    current
        .map(|p| CompletionOffer::new(p.arn, "managed policy of AWS", CompletionItemKind::REFERENCE))
        .collect()
}

/// The forms of ARNs of the services that the statement has actions of; of the one that is written, if there is one.
fn resources(written: &str, near: &[Service]) -> Vec<CompletionOffer> {
    let named = written.split(':').nth(2).and_then(|prefix| catalogue().service(prefix));
    let services = named.as_ref().map_or(near, std::slice::from_ref);
    let mut out = Vec::new();
    for service in services {
        for kind in service.resource_types() {
            for format in kind.arn_formats() {
                let (plain, snippet) = filled_in(format);
                let detail = format!("{} of {}", kind.name(), service.prefix());
                let mut offer = CompletionOffer::new(plain, detail, CompletionItemKind::REFERENCE);
                offer.snippet = Some(snippet);
                out.push(offer);
            }
        }
    }
    out
}

/// `arn:${Partition}:s3:::${BucketName}` with the names of its parts, and with these marked for clients that fill them in.
fn filled_in(format: &str) -> (String, String) {
    let (mut plain, mut snippet) = (String::new(), String::new());
    let mut count = 0;
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, end) = after.split_once('}').unwrap_or((after, ""));
        plain.push_str(before);
        snippet.push_str(before);
        if name == "Partition" {
            plain.push_str("aws");
            snippet.push_str("aws");
        } else {
            count += 1;
            plain.push_str(name);
            snippet.push_str(&format!("${{{count}:{name}}}"));
        }
        rest = end;
    }
    plain.push_str(rest);
    snippet.push_str(rest);
    (plain, snippet)
}
