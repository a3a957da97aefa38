//! What may be written at a place of a policy.

use std::collections::BTreeSet;

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionList, CompletionParams, CompletionTextEdit, InsertTextFormat,
    TextEdit,
};

use super::cursor::{self, CursorToken, OPERATORS, Slot};
use super::text::Lines;
use super::workspace::Workspace;
use crate::iam::catalogue;
use crate::iam::catalogue::{Action, Service};
use crate::source::LineIndex;

/// Bytes before and after a place in which the actions of its statement are looked for.
const STATEMENT: usize = 2 << 10;
/// What the ARNs of AWS's policies begin with.
const MANAGED_POLICIES: &str = "arn:aws:iam::aws:policy/";
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

/// Items for a place, of those that begin with what is written there: clients differ in what they do with others. `snippets` if
/// the client can fill in parts.
pub(super) fn complete(workspace: &Workspace, params: &CompletionParams, snippets: bool) -> CompletionList {
    CompletionList {
        is_incomplete: true,
        items: items(workspace, params, snippets),
    }
}

fn items(workspace: &Workspace, params: &CompletionParams, snippets: bool) -> Vec<CompletionItem> {
    let at = &params.text_document_position;
    let path = workspace.key(&at.text_document.uri);
    let Some(text) = workspace.text(&path) else {
        return Vec::new();
    };
    let index = LineIndex::new(&text);
    let lines = Lines::new(&text, &index, workspace.units);
    let offset = lines.offset(at.position);
    let token = cursor::token(&text, offset);
    // The dash of an item of YAML, which needs a blank after it.
    if token.quote.is_none() && token.text.starts_with('-') {
        return Vec::new();
    }
    let slot = cursor::slot(&text, token.range.start);
    let written = text.get(token.range.start..offset).unwrap_or_default();
    let offers = offers(&text, &token, slot, written);
    let is_yaml = [".yaml", ".yml", ".template"].iter().any(|end| path.ends_with(end));
    let quote = match token.quote {
        None if !is_yaml || text.get(token.range.end..).is_some_and(|t| t.starts_with('"')) => "\"",
        _ => "",
    };
    let range = lines.range(token.range.clone());
    let begins = |offer: &CompletionOffer| {
        let begin = offer.label.get(..written.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(written)) && offer.label != token.text
    };
    // A managed policy is known by its name.
    let names = |offer: &CompletionOffer| {
        let name = offer.label.strip_prefix(MANAGED_POLICIES);
        name.is_some_and(|name| name.to_ascii_lowercase().contains(&written.to_ascii_lowercase()))
    };
    let item = |(place, offer): (usize, CompletionOffer)| {
        let snippet = offer.snippet.filter(|_| snippets);
        let format = snippet.as_ref().map(|_| InsertTextFormat::SNIPPET);
        let new_text = snippet.unwrap_or_else(|| offer.label.clone());
        CompletionItem {
            kind: Some(offer.kind),
            detail: Some(offer.detail).filter(|detail| !detail.is_empty()),
            sort_text: Some(format!("{place:04}")),
            insert_text_format: format,
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range,
                new_text: format!("{quote}{new_text}{quote}"),
            })),
            label: offer.label,
            ..CompletionItem::default()
        }
    };
    let fitting = offers.into_iter().filter(|offer| begins(offer) || names(offer));
    fitting.take(MAX_ITEMS).enumerate().map(item).collect()
}

fn offers(text: &str, token: &CursorToken<'_>, slot: Option<Slot>, written: &str) -> Vec<CompletionOffer> {
    match slot {
        Some(Slot::Action) => actions(written),
        Some(Slot::Service) => service_principals(written),
        Some(Slot::Operator) => operators(),
        Some(Slot::ConditionKey) => condition_keys(written, &services_near(text, token.range.start)),
        Some(Slot::ManagedPolicy) => managed_policies(),
        Some(Slot::Effect) => ["Allow", "Deny"]
            .map(|word| CompletionOffer::new(word, "", CompletionItemKind::VALUE))
            .into(),
        _ if token.text.starts_with(MANAGED_POLICIES) => managed_policies(),
        Some(Slot::Resource) => resources(written, &services_near(text, token.range.start)),
        Some(Slot::Principal | Slot::ConditionValue) | None => Vec::new(),
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

/// Of what is begun, the shorter names first: `lambda.amazonaws.com` before those of its parts.
fn service_principals(written: &str) -> Vec<CompletionOffer> {
    let mut all: Vec<&str> = catalogue().service_principals().collect();
    if !written.is_empty() {
        all.sort_by_key(|name| name.len());
    }
    let all = all.into_iter();
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
        .map(|p| CompletionOffer::new(p.arn, "AWS managed policy", CompletionItemKind::REFERENCE))
        .collect()
}

/// The forms of ARNs of the services that the statement has actions of, or of the one that is written, that what is written can
/// become.
fn resources(written: &str, near: &[Service]) -> Vec<CompletionOffer> {
    let named = written.split(':').nth(2).and_then(|prefix| catalogue().service(prefix));
    let services = named.as_ref().map_or(near, std::slice::from_ref);
    let mut out = Vec::new();
    for service in services {
        for kind in service.resource_types() {
            for format in kind.arn_formats() {
                let Some((plain, snippet)) = filled_in(format, written) else {
                    continue;
                };
                let detail = format!("{} of {}", kind.name(), service.prefix());
                let mut offer = CompletionOffer::new(plain, detail, CompletionItemKind::REFERENCE);
                offer.snippet = Some(snippet);
                out.push(offer);
            }
        }
    }
    // What lies in another resource comes after it.
    out.sort_by_key(|offer| parts(&offer.label).count());
    out
}

/// `arn:${Partition}:s3:::${BucketName}` with what is `written` for its parts, else the names of these: plain, and with these
/// marked for clients that fill them in. `None` if what is written cannot become one of this form.
fn filled_in(format: &str, written: &str) -> Option<(String, String)> {
    let (mut plain, mut snippet) = (String::new(), String::new());
    let mut count = 0;
    let mut given = parts(written).peekable();
    for (part, end) in parts(format) {
        let own = given.next();
        // Of the last one more may follow.
        let is_last = given.peek().is_none();
        let own_text = own.map_or("", |(text, _)| text);
        if let Some((_, own_end)) = own
            && !is_last
            && own_end != end
        {
            return None;
        }
        let name = part.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        match name.filter(|name| !name.contains('$')) {
            Some(_) if !own_text.is_empty() => {
                plain.push_str(own_text);
                snippet.push_str(own_text);
            }
            Some("Partition") => {
                plain.push_str("aws");
                snippet.push_str("aws");
            }
            None if !part.contains("${") || own_text.is_empty() => {
                let fits = match is_last {
                    true => part.starts_with(own_text),
                    false => part == own_text,
                };
                if !fits {
                    return None;
                }
                mark(part, &mut count, &mut plain, &mut snippet);
            }
            None => {
                plain.push_str(own_text);
                snippet.push_str(own_text);
            }
            Some(_) => mark(part, &mut count, &mut plain, &mut snippet),
        }
        plain.push_str(end);
        snippet.push_str(end);
    }
    given.peek().is_none().then_some((plain, snippet))
}

/// The parts of an ARN between colons and slashes, each with what ends it.
fn parts(arn: &str) -> impl Iterator<Item = (&str, &str)> {
    arn.split_inclusive([':', '/']).map(|part| {
        let text = part.trim_end_matches([':', '/']);
        (text, &part[text.len()..])
    })
}

/// Adds a text with the names of its variables.
fn mark(text: &str, count: &mut usize, plain: &mut String, snippet: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, end) = after.split_once('}').unwrap_or((after, ""));
        *count += 1;
        plain.push_str(before);
        plain.push_str(name);
        snippet.push_str(&format!("{before}${{{count}:{name}}}"));
        rest = end;
    }
    plain.push_str(rest);
    snippet.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_an_arn_takes_what_is_written() {
        let table = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}";
        let object = "arn:${Partition}:s3:::${BucketName}/${ObjectName}";
        for (format, written, plain, snippet) in [
            (
                object,
                "",
                "arn:aws:s3:::BucketName/ObjectName",
                "arn:aws:s3:::${1:BucketName}/${2:ObjectName}",
            ),
            (
                object,
                "arn:aws:s3:::acces",
                "arn:aws:s3:::acces/ObjectName",
                "arn:aws:s3:::acces/${1:ObjectName}",
            ),
            (
                object,
                "arn:aws-cn:s3:::a/",
                "arn:aws-cn:s3:::a/ObjectName",
                "arn:aws-cn:s3:::a/${1:ObjectName}",
            ),
            (
                table,
                "arn:aws:dynamodb:eu-west-1:111122223333:ta",
                "arn:aws:dynamodb:eu-west-1:111122223333:table/TableName",
                "arn:aws:dynamodb:eu-west-1:111122223333:table/${1:TableName}",
            ),
        ] {
            assert_eq!(
                filled_in(format, written),
                Some((plain.into(), snippet.into())),
                "{written}"
            );
        }
        for (format, written) in [(table, "arn:aws:s3:"), (object, "arn:aws:s3:::a/b/c"), (table, "*")] {
            assert_eq!(filled_in(format, written), None, "{written}");
        }
    }
}
