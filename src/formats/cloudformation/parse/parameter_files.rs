//! Files with the parameters that a template is deployed with.
//!
//! Three forms: the list of `aws cloudformation deploy` (`[{"ParameterKey": …, "ParameterValue": …}]`), the template
//! configuration of CodePipeline (`{"Parameters": {…}}`), and `parameter_overrides` of `samconfig.toml`. AWS CLI Command
//! Reference, "create-stack"; AWS CodePipeline User Guide, "CloudFormation deploy action reference"; AWS SAM Developer Guide,
//! "AWS SAM CLI configuration file".
//!
//! **Invariant:** a file belongs to a template that declares every parameter in it, as far as names and folders tell which:
//! where several fit equally well, to none.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::formats::data;
use crate::source::{FileId, Sources, Span, Text, file_name, join_path, parent_path};
use crate::value::{Value, ValueKind};

use crate::formats::cloudformation::parse::doc::{Doc, is_template};

/// What uses a template, and the parameters that it passes.
pub(crate) type TemplateUse = (String, BTreeMap<String, Value>);

const SAM: &str = "samconfig.toml";
/// What a template configuration has. AWS CodePipeline User Guide, "Template configuration file".
const CONFIGURATION: [&str; 3] = ["Parameters", "Tags", "StackPolicy"];
/// Longest file that is looked into, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Whether a file of this name may hold parameters of a template: cheap, and generous.
pub(crate) fn is_parameter_file(name: &str, text: &str) -> bool {
    if text.len() > MAX_BYTES {
        return false;
    }
    if name == SAM {
        return text.contains("parameter_overrides");
    }
    let first_key = || {
        let inner = text.trim_start_matches('\u{feff}').trim_start().strip_prefix('{')?;
        inner.trim_start().strip_prefix('"')?.split('"').next()
    };
    let configures = || first_key().is_some_and(|key| CONFIGURATION.contains(&key)) && text.contains("\"Parameters\"");
    match name.rsplit('.').next() {
        Some("json") => text.contains("\"ParameterKey\"") || configures(),
        Some("yaml" | "yml") => text.contains("ParameterKey:"),
        _ => false,
    }
}

/// The parameters that files give, by the template that they are for.
pub(crate) fn find(sources: &Sources, docs: &[Doc]) -> BTreeMap<usize, Vec<TemplateUse>> {
    let mut out: BTreeMap<usize, Vec<TemplateUse>> = BTreeMap::new();
    let templates: Vec<_> = docs.iter().map(Doc::declared_parameters).collect();
    if templates.iter().all(BTreeMap::is_empty) {
        return out;
    }
    for file in sources.ids() {
        let (path, text) = (sources.path(file), sources.text(file));
        let name = file_name(path);
        // `samconfig.toml` need not name its template.
        if !(sources.is_analyzed(file) || name == SAM) || !is_parameter_file(name, text) {
            continue;
        }
        if name == SAM {
            for (template, given) in overrides(file, text) {
                let index = template_of_sam(docs, path, template.as_deref());
                if let Some(index) = index {
                    let given = given.into_iter().filter(|(k, _)| templates[index].contains_key(k));
                    out.entry(index).or_default().push((path.to_owned(), given.collect()));
                }
            }
            continue;
        }
        let Some(given) = parameters_in(file, path, text) else {
            continue;
        };
        if let Some(index) = template_of((sources, docs), &templates, path, &given) {
            out.entry(index).or_default().push((path.to_owned(), given));
        }
    }
    out
}

/// The parameters in a file, where that is what it is for.
fn parameters_in(file: FileId, path: &str, text: &str) -> Option<BTreeMap<String, Value>> {
    let tree = data::parse(file, path, text);
    let &[root] = tree.roots.as_slice() else { return None };
    if is_template(&tree, root) {
        return None;
    }
    let value = data::value(&tree, root);
    let mut given = BTreeMap::new();
    match &value.kind {
        ValueKind::Seq(items) => {
            for item in items.iter() {
                let key = item.get("ParameterKey").and_then(Value::as_str)?;
                // Without a value the stack keeps the one that it has.
                if let Some(value) = item.get("ParameterValue") {
                    given.insert(key.into_owned(), scalar(value));
                }
            }
        }
        ValueKind::Map(entries) => {
            let known = |key: &Text| key.known().is_some_and(|k| CONFIGURATION.contains(&&*k));
            if !entries.iter().all(|e| known(&e.key)) {
                return None;
            }
            let parameters = value.get("Parameters")?;
            if let Some(list) = parameters.as_seq() {
                for item in list {
                    let key = item.get("ParameterKey").and_then(Value::as_str)?;
                    if let Some(value) = item.get("ParameterValue") {
                        given.insert(key.into_owned(), scalar(value));
                    }
                }
            } else {
                for e in parameters.entries()? {
                    given.insert(e.key.known()?.into_owned(), scalar(&e.value));
                }
            }
        }
        _ => return None,
    }
    (!given.is_empty()).then_some(given)
}

/// What CloudFormation is given: a text; anything else is filled in by the tool that reads the file.
fn scalar(value: &Value) -> Value {
    match &value.kind {
        ValueKind::Str(_) => value.clone(),
        ValueKind::Num(n) => Value::synthetic(n, value.span),
        ValueKind::Bool(b) => Value::synthetic(if *b { "true" } else { "false" }, value.span),
        _ => Value::unknown_other("parameter", value.span),
    }
}

/// The template that a file with these parameters is for.
fn template_of(
    (sources, docs): (&Sources, &[Doc]),
    templates: &[BTreeMap<String, bool>],
    path: &str,
    given: &BTreeMap<String, Value>,
) -> Option<usize> {
    let mut fitting: Vec<usize> = (0..templates.len())
        .filter(|i| given.keys().all(|key| templates[*i].contains_key(key)))
        .collect();
    let same_file = |i: usize| sources.path(docs[i].tree.file);
    let folder = parent_path(path);
    let near = |i: &usize| {
        let parts = |path: &str| {
            path.split('/')
                .filter(|p| !p.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (a, b) = (parts(folder), parts(parent_path(same_file(*i))));
        a.iter().zip(&b).take_while(|(a, b)| a == b).count()
    };
    let nearest = fitting.iter().map(near).max()?;
    fitting.retain(|i| near(i) == nearest);
    retain_if_any(&mut fitting, |i| names(path, same_file(i)));
    retain_if_any(&mut fitting, |i| templates[i].len() == given.len());
    retain_if_any(&mut fitting, |i| {
        templates[i].iter().all(|(name, has)| *has || given.contains_key(name))
    });
    match fitting.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// Keeps what a test keeps, unless that is nothing.
fn retain_if_any(all: &mut Vec<usize>, test: impl Fn(usize) -> bool) {
    if all.iter().any(|i| test(*i)) {
        all.retain(|i| test(*i));
    }
}

/// Whether the name of a file, or of its folder, says the name of the template: `network.prod.json`, `network/prod.json`.
fn names(path: &str, template: &str) -> bool {
    let stem = |path: &str| {
        path.rsplit('/')
            .next()
            .and_then(|name| name.split('.').next())
            .unwrap_or("")
            .to_lowercase()
    };
    let wanted = stem(template);
    let folder = file_name(parent_path(path)).to_lowercase();
    !wanted.is_empty() && (stem(path).contains(&wanted) || folder == wanted)
}

/// The template that a table of `samconfig.toml` is for: the one that it names, else the one that `sam` finds.
fn template_of_sam(docs: &[Doc], path: &str, template: Option<&str>) -> Option<usize> {
    const FOUND: [&str; 3] = ["template.yaml", "template.yml", "template.json"];
    let built = |name: &&str| !name.contains(".aws-sam");
    let names = match template.filter(built) {
        Some(name) => vec![name],
        None => FOUND.to_vec(),
    };
    names.iter().find_map(|name| {
        let path = join_path(parent_path(path), name);
        docs.iter().position(|d| *d.scope == *path)
    })
}

type Overrides = (Option<String>, BTreeMap<String, Value>);

/// `parameter_overrides` of each environment and command, with the template that is named there.
fn overrides(file: FileId, text: &str) -> Vec<Overrides> {
    let Ok(table) = DeTable::parse(text) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for (_, environment) in table.get_ref() {
        let Some(commands) = environment.get_ref().as_table() else {
            continue;
        };
        let named = |table: &DeTable<'_>| {
            let name = ["template_file", "template"].iter().find_map(|key| table.get(*key));
            name.and_then(|name| name.get_ref().as_str().map(str::to_owned))
        };
        let tables: Vec<_> = commands.iter().filter_map(|(_, command)| parameters(command)).collect();
        let shared = tables.iter().copied().find_map(named);
        for table in tables {
            let Some(written) = table.get("parameter_overrides") else {
                continue;
            };
            let mut given = BTreeMap::new();
            let texts: Vec<&toml::Spanned<DeValue<'_>>> = match written.get_ref() {
                DeValue::Array(items) => items.iter().collect(),
                _ => vec![written],
            };
            for item in texts {
                if let Some(said) = item.get_ref().as_str() {
                    pairs(&located_text(file, text, said, item.span()), &mut given);
                }
            }
            if !given.is_empty() {
                out.push((named(table).or_else(|| shared.clone()), given));
            }
        }
    }
    out
}

/// The table `parameters` of a command.
fn parameters<'a, 't>(command: &'a toml::Spanned<DeValue<'t>>) -> Option<&'a DeTable<'t>> {
    command.get_ref().as_table()?.get("parameters")?.get_ref().as_table()
}

/// A text of TOML where it is written; all of it at its token, where it has escapes.
fn located_text(file: FileId, source: &str, said: &str, token: Range<usize>) -> Text {
    let inner = source.get(token.clone()).and_then(|t| t.find(said));
    match inner {
        Some(at) => Text::verbatim(said, file, token.start + at),
        None => Text::synthetic(said, Span::new(file, token.start, token.end)),
    }
}

/// `Stage=prod Name="the orders"`, or `ParameterKey=Stage,ParameterValue=prod`.
fn pairs(text: &Text, given: &mut BTreeMap<String, Value>) {
    let flat = text.with_placeholders();
    for word in split_words(&flat) {
        let said = &flat[word.clone()];
        let (key, value) = match said.strip_prefix("ParameterKey=") {
            Some(rest) => match rest.split_once(",ParameterValue=") {
                Some(pair) => pair,
                None => continue,
            },
            None => match said.split_once('=') {
                Some(pair) => pair,
                None => continue,
            },
        };
        let start = word.end - value.len();
        let bare = value.trim_matches(['"', '\'', '\\']);
        let start = start + value.find(bare).unwrap_or(0);
        let range = start..start + bare.len();
        let at = text.span_of(range.clone()).or_else(|| text.span_of(0..text.len()));
        if let Some(at) = at {
            let key = key.trim_matches(['"', '\'', '\\']).to_owned();
            given.insert(key, Value::text(text.slice(range), at));
        }
    }
}

/// The words of a command line: blanks in quotes do not end one.
fn split_words(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = None;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => out.extend(start.take().map(|s| s..at)),
            (None, '"' | '\'') => {
                quote = Some(c);
                start.get_or_insert(at);
            }
            (Some(q), c) if q == c => quote = None,
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    out.extend(start.map(|s| s..text.len()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_of_sam_are_pairs_of_name_and_value() {
        let file = FileId(0);
        for text in [
            r#"[default.deploy.parameters]
parameter_overrides = "Stage=prod Title=\"the orders\""
"#,
            r#"[default.deploy.parameters]
parameter_overrides = ["Stage=prod", "Title=the orders"]
"#
            .replace("Title=the orders", "Title='the orders'")
            .as_str(),
            r#"[p.global.parameters]
parameter_overrides = 'ParameterKey=Stage,ParameterValue=prod Title="the orders"'
"#,
        ] {
            let all = overrides(file, text);
            let [(None, given)] = all.as_slice() else {
                panic!("{text}: {all:?}")
            };
            let said: Vec<_> = given
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str().unwrap_or_default().into_owned()))
                .collect();
            assert_eq!(
                said,
                [("Stage", "prod".to_owned()), ("Title", "the orders".to_owned())],
                "{text}"
            );
        }
    }
}
