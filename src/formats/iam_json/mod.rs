//! Policy documents as files of their own, what the IAM API answers and takes, and documents inside any other JSON or YAML.
//!
//! **Invariant:** a file without anything of the shape of a policy says nothing, not even that it is broken; a template
//! of CloudFormation or a state of Terraform is left to its own format.

mod api;
mod encoded;

use std::sync::Arc;

use crate::iam::{Format, POLICY_ELEMENTS, PolicyKind};
use crate::model::{Address, Loose, Unit};
use crate::source::{FileId, Problem, ProblemKind, Sources, Text};
use crate::syntax::json::is_directive;
use crate::syntax::{Kind as Node, NodeId, Tree};
use crate::value::{Entry, Kind, Value};

use super::cloudformation::{extents, is_template};
use super::fragments::{has_functions, with_holes};
use super::policies::is_policy_shaped;
use super::templated::{filled_in, is_filled_in};
use super::{Lower, each_file, plain};

/// Bare documents, lists and exports of them.
pub struct IamJson;

impl Lower for IamJson {
    fn name(&self) -> &'static str {
        "policy"
    }

    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<Unit> {
        each_file(files, |file| unit(sources, file))
    }
}

fn unit(sources: &Sources, file: FileId) -> Unit {
    let (path, text) = (sources.path(file), sources.text(file));
    let tree = plain::parse(file, path, text);
    let mut walk = Walk {
        path: Arc::from(path),
        file_kind: kind_of_path(path),
        unit: Unit::default(),
    };
    let functions = has_functions(text);
    for &root in &tree.roots {
        if !is_foreign(&tree, root) {
            let value = plain::value(&tree, root);
            let value = if is_filled_in(path) { filled_in(&value) } else { value };
            // A file that is a document is what AWS gets, which knows no functions.
            let part = functions && !is_policy_shaped(&value);
            let value = if part { with_holes(&value, 0) } else { value };
            walk.value(&value, &mut Vec::new(), None);
        }
    }
    let mut unit = walk.unit;
    let found = !unit.loose.is_empty() || !unit.resources.is_empty();
    let is_json = path.ends_with(".json") || text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    if found || says_policy(&tree) || (is_json && names_elements(&tree, text)) {
        let decides = |p: &Problem| {
            let written = text.as_bytes().get(p.span.start as usize..);
            p.kind == ProblemKind::NotEvaluated && written.is_some_and(is_directive)
        };
        let decided = tree.problems.iter().any(decides);
        let problems = tree.problems.iter().cloned().map(|mut p| {
            if is_json && p.kind == ProblemKind::Syntax {
                // What a template leaves out may be what is broken.
                p.kind = match decided {
                    true => ProblemKind::NotEvaluated,
                    false => ProblemKind::PolicyJson,
                };
            }
            p
        });
        match is_filled_in(path) {
            true => unit.unfilled.extend(problems),
            false => unit.problems.extend(problems),
        }
        if text.contains("overgrant:") {
            unit.extents = extents(&tree);
        }
    }
    unit
}

/// Whether a document of another format begins at `root`.
fn is_foreign(tree: &Tree, root: NodeId) -> bool {
    let has = |key| tree.get(root, key).is_some();
    // A rule file shows policies and holds none.
    let rule = has("id") && has("severity") && has("examples");
    rule || is_template(tree, root) || has("terraform_version") || (has("service") && has("provider"))
}

/// Whether what is broken is a policy: somewhere is a key `Statement` that holds more than a word, or a version of the policy
/// language.
fn says_policy(tree: &Tree) -> bool {
    if tree.roots.iter().any(|root| is_foreign(tree, *root)) {
        return false;
    }
    let text = |node| tree.text(node).and_then(Text::known);
    let is_policy = |(key, value): (NodeId, NodeId)| match text(key).as_deref() {
        Some("Statement") => matches!(tree.kind(value), Node::Map | Node::Seq | Node::Null | Node::Unknown),
        Some("Version") => matches!(text(value).as_deref(), Some("2012-10-17" | "2008-10-17")),
        _ => false,
    };
    let mut open = tree.roots.clone();
    while let Some(node) = open.pop() {
        if tree.is_alias(node) {
            continue;
        }
        if tree.entries(node).any(is_policy) {
            return true;
        }
        open.extend(tree.children(node));
    }
    false
}

/// Whether a text has the keys of a policy, whatever the brackets around them came to.
fn names_elements(tree: &Tree, text: &str) -> bool {
    !tree.roots.iter().any(|root| is_foreign(tree, *root))
        && text.contains("\"Statement\"")
        && ["\"Effect\"", "\"Action\"", "\"Principal\""]
            .iter()
            .any(|w| text.contains(w))
}

/// What a file's name says of the policies in it.
fn kind_of_path(path: &str) -> Option<PolicyKind> {
    let path = path.to_ascii_lowercase();
    let near = path.rsplitn(3, '/').take(2);
    near.flat_map(|part| {
        let words: Vec<&str> = part.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let has = |word| words.contains(&word);
        let pair = |a, b| words.windows(2).any(|w| w == [a, b]);
        if has("scp") || has("scps") || pair("service", "control") {
            Some(PolicyKind::Scp)
        } else if has("rcp") || has("rcps") || pair("resource", "control") {
            Some(PolicyKind::Rcp)
        } else if has("boundary") || has("boundaries") {
            Some(PolicyKind::Boundary)
        } else {
            None
        }
    })
    .next()
}

/// What the key that holds a document says of it.
fn kind_of_key(key: &str) -> Option<(PolicyKind, Option<&'static str>)> {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    let kind = match plain.to_ascii_lowercase().as_str() {
        "assumerolepolicydocument"
        | "assumerolepolicy"
        | "trustpolicy"
        | "trustrelationship"
        | "trustpolicydocument" => PolicyKind::Trust,
        "permissionsboundary" | "permissionsboundarypolicyinputlist" | "permissionboundary" => PolicyKind::Boundary,
        "policyinputlist" => PolicyKind::Identity,
        "resourcepolicy" => PolicyKind::Resource,
        "bucketpolicy" => return Some((PolicyKind::Resource, Some("s3"))),
        "keypolicy" => return Some((PolicyKind::Resource, Some("kms"))),
        "xamazonapigatewaypolicy" => return Some((PolicyKind::Resource, Some("execute-api"))),
        "servicecontrolpolicy" => PolicyKind::Scp,
        "resourcecontrolpolicy" => PolicyKind::Rcp,
        _ => return None,
    };
    Some((kind, None))
}

/// Keys whose text is worth reading as a document.
fn may_hold_document(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["policy", "document", "content", "policyinputlist"]
        .iter()
        .any(|end| key.ends_with(end))
}

/// Whether what an API is given, or gives, may be a document: text, nothing yet, or an object with an element of one.
fn may_be_document(value: &Value) -> bool {
    let element = |e: &Entry| {
        // Or the likeliest slip.
        let mut names = POLICY_ELEMENTS.iter().chain(&["Statements"]);
        e.key
            .known()
            .is_none_or(|k| names.any(|name| k.eq_ignore_ascii_case(name)))
    };
    value
        .decoded()
        .entries()
        .is_none_or(|all| all.is_empty() || all.iter().any(element))
}

struct Walk {
    path: Arc<str>,
    file_kind: Option<PolicyKind>,
    unit: Unit,
}

/// What is known of a document from where it stands.
#[derive(Clone, Copy)]
struct Hint {
    kind: PolicyKind,
    service: Option<&'static str>,
}

impl Walk {
    /// Looks for documents in `value`, which stands at `pointer`.
    fn value(&mut self, value: &Value, pointer: &mut Vec<String>, hint: Option<Hint>) {
        match &value.kind {
            Kind::Map(_) if is_policy_shaped(value) => self.document(value, pointer, hint),
            Kind::Map(entries) => {
                if self.api(value, pointer) {
                    return;
                }
                let here = api::hint(value).or(hint);
                for e in entries.iter() {
                    let Some(key) = e.key.known() else { continue };
                    let by_key = kind_of_key(&key).map(|(kind, service)| Hint { kind, service });
                    pointer.push(key.into_owned());
                    self.value(&e.value, pointer, by_key.or(here));
                    pointer.pop();
                }
            }
            Kind::Seq(items) => {
                for (i, item) in items.iter().enumerate() {
                    pointer.push(i.to_string());
                    self.value(item, pointer, hint);
                    pointer.pop();
                }
            }
            Kind::Str(_) => {
                let key = pointer.iter().rev().find(|p| p.parse::<usize>().is_err());
                if key.is_some_and(|key| may_hold_document(key)) {
                    let (inner, problems) = encoded::document(value);
                    if is_policy_shaped(&inner) {
                        self.unit.problems.extend(problems);
                        self.document(&inner, pointer, hint);
                    }
                }
            }
            _ => {}
        }
    }

    fn document(&mut self, value: &Value, pointer: &[String], hint: Option<Hint>) {
        let name = (!pointer.is_empty()).then(|| Address {
            scope: self.path.clone(),
            name: Arc::from(pointer.join("/")),
        });
        self.unit.loose.push(Loose {
            value: value.clone(),
            format: Format::Json,
            kind: hint.map(|h| h.kind).or(self.file_kind),
            service: hint.and_then(|h| h.service).map(Arc::from),
            name,
            type_name: Arc::from(""),
        });
    }
}
