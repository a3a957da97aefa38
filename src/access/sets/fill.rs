//! Values for what is not known: as the other document writes them, or examples.

use std::collections::{BTreeMap, BTreeSet};

use super::concrete::Values;
use super::real::ACCOUNT;
use crate::iam::{Document, SourceFormat};
use crate::source::{HoleKind, Piece, Text};

/// Placeholders of a comparison that are filled, values of each, and combinations.
const MAX_HOLES: usize = 4;
const MAX_VALUES: usize = 6;
const MAX_FILLINGS: usize = 64;

/// What the placeholders of bare documents (`<ACCOUNT ID>`) may be taken to be: what the other document writes in their place.
/// A template of a policy says that something is to be written there, and the other document has written it.
pub(super) fn fillings(old: &Document, new: &Document) -> Vec<Values> {
    if old.format != SourceFormat::Json || new.format != SourceFormat::Json {
        return Vec::new();
    }
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (of_old, of_new) = (texts(old), texts(new));
    for (these, those) in [(&of_old, &of_new), (&of_new, &of_old)] {
        for text in these.iter().filter(|t| !t.is_known()) {
            for other in those.iter().filter_map(|t| t.known()) {
                unify(text, &other, &mut found);
            }
        }
    }
    if found.is_empty() || found.len() > MAX_HOLES {
        return Vec::new();
    }
    let mut all = vec![Values::new()];
    for (name, values) in found {
        let mut next = Vec::new();
        for value in values.iter().take(MAX_VALUES) {
            for filling in &all {
                let mut filling = filling.clone();
                filling.insert(name.clone(), value.clone());
                next.push(filling);
            }
        }
        next.truncate(MAX_FILLINGS);
        all = next;
    }
    all
}

/// Resources, principals, and values of conditions.
fn texts(document: &Document) -> Vec<&Text> {
    let mut out: Vec<&Text> = Vec::new();
    for s in &document.statements {
        out.extend(s.written_resources().map(|i| &i.text));
        out.extend(s.principal.iter().flat_map(|p| &p.items).map(|i| &i.value.text));
        out.extend(s.conditions.iter().flat_map(|c| &c.values).map(|v| &v.text));
    }
    out
}

/// What each hole of `text` is where the whole is `other`: field by field of an ARN, at most one hole in each.
fn unify(text: &Text, other: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let fields = text.split(':');
    let others: Vec<&str> = match fields.len() {
        1 => vec![other],
        n => other.splitn(n, ':').collect(),
    };
    if fields.len() != others.len() {
        return;
    }
    let mut own: Vec<(String, String)> = Vec::new();
    for (field, other) in fields.iter().zip(others) {
        let (mut head, mut tail, mut hole) = (String::new(), String::new(), None);
        for piece in field.pieces() {
            match piece {
                Piece::Lit(lit) if hole.is_none() => head.push_str(&lit.text),
                Piece::Lit(lit) => tail.push_str(&lit.text),
                Piece::Hole(_) if hole.is_some() => return,
                Piece::Hole(h) => hole = Some(h.name.to_string()),
            }
        }
        let Some(name) = hole else {
            // What is written may be another pattern: the comparison decides.
            continue;
        };
        let Some(value) = other.strip_prefix(&*head).and_then(|rest| rest.strip_suffix(&*tail)) else {
            return;
        };
        if value.is_empty() || value.contains(['*', '?', '$', '<']) {
            return;
        }
        own.push((name, value.to_owned()));
    }
    for (name, value) in own {
        found.entry(name).or_default().insert(value);
    }
}

/// An example of a value.
pub(super) fn value_of_hole(kind: HoleKind, name: &str) -> String {
    let lower = name.to_lowercase();
    let says = |word: &str| {
        // `var.account_id`, `<ACCOUNT ID>`, and `accounts.prod`, and not `account_table_arn`.
        let mut parts = lower.rsplit(['.', '[']);
        let last = parts
            .next()
            .is_some_and(|last| last.contains(word) && !last.ends_with("arn"));
        let is_key = |many: &str| many.ends_with(&format!("{word}s")) || many.contains(word) && many.ends_with("ids");
        last || parts.next().is_some_and(is_key)
    };
    match kind {
        HoleKind::Account => ACCOUNT.to_owned(),
        HoleKind::Partition => "aws".to_owned(),
        HoleKind::Region => "us-east-1".to_owned(),
        HoleKind::UrlSuffix => "amazonaws.com".to_owned(),
        _ if says("account") => ACCOUNT.to_owned(),
        _ if says("region") => "us-east-1".to_owned(),
        _ if says("partition") => "aws".to_owned(),
        _ => format!("given-{}", plain(&lower)),
    }
}

/// An example of the value of a policy variable.
pub(super) fn value_of_variable(key: &str) -> String {
    match key {
        "aws:username" => "alice".to_owned(),
        "aws:userid" => "AIDACKCEVSQ6C2EXAMPLE".to_owned(),
        "aws:principalaccount" | "aws:resourceaccount" | "aws:sourceaccount" => ACCOUNT.to_owned(),
        _ => format!("its-{}", plain(key.rsplit([':', '/']).next().unwrap_or(key))),
    }
}

fn plain(text: &str) -> String {
    let chars = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    chars.collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_its_id_and_the_arn_of_something_is_not() {
        let of = |name: &str| value_of_hole(HoleKind::Input, name);
        for name in [
            "<ACCOUNT ID>",
            "ACCOUNT-ID-WITHOUT-HYPHENS",
            "var.account_id",
            "AccountId",
            "var.account_ids[\"ci\"]",
            "local.accounts.prod",
        ] {
            assert_eq!(of(name), ACCOUNT, "{name}");
        }
        for name in [
            "aws_cloudwatch_event_rule.account_processor.arn",
            "var.account_table_arn",
        ] {
            assert_ne!(of(name), ACCOUNT, "{name}");
        }
    }
}
