//! Policy documents as files of their own, what the IAM API answers and takes, and documents inside any other JSON or YAML.
//!
//! **Invariant:** a file without anything of the shape of a policy says nothing, not even that it is broken; a template
//! of CloudFormation or a state of Terraform is left to its own format.

mod api;
mod encoded;

use std::sync::Arc;

use crate::classify::{FileClues, hit};
use crate::iam::{POLICY_ELEMENTS, PolicyKind, SourceFormat};
use crate::model::{Address, LoweredUnit, Suggested, UnattachedPolicy};
use crate::source::{FileId, Problem, ProblemKind, Sources, file_name};
use crate::syntax::json::is_directive;
use crate::syntax::{NodeId, Tree};
use crate::value::{MapEntry, Value, ValueKind};

use super::cfn_fragments::{has_functions, with_holes};
use super::cloudformation::{extents, is_template};
use super::policies::suggestion_of_path;
use super::recognize::{self, is_policy, is_policy_file};
use super::text_templates::{is_filled_in, replace_in_value};
use super::{Format, FormatClaim, data, each_file, samples, vendors};

/// Bare documents, lists and exports of them.
pub struct IamJson;

impl Format for IamJson {
    fn title(&self) -> &'static str {
        "policy"
    }

    fn claim(&self, file: &FileClues<'_>) -> FormatClaim {
        let has_statements = file.has(hit::STATEMENT | hit::ELEMENT);
        if !file.is_data() {
            let text = file.text.trim_start_matches('\u{feff}').trim_start();
            return FormatClaim::shared_if(file.is_text_template && has_statements && text.starts_with(['{', '[']));
        }
        // A version of the policy language alone is a policy whose statements were forgotten.
        let is_json = file.extension == "json";
        let is_empty = is_json && file.has(hit::VERSION) && !file.has(hit::AWS_TYPE)
            || file.has(hit::LOWER) && (is_json || file.has(hit::VERSION));
        let has_cases = file.has(hit::CASES) && file.has_key;
        // A file that breaks off may have no more than the key of the statements.
        let holds = has_statements || is_empty || file.has(hit::STATEMENTS) || file.has(hit::API) || has_cases;
        let is_of_another = file.has(hit::TEMPLATE) || super::serverless::Serverless.claim(file) != FormatClaim::None;
        FormatClaim::shared_if(holds && !is_of_another)
    }

    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<LoweredUnit> {
        each_file(files, |file| unit(sources, file))
    }
}

/// Whether a file is the tree of the constructs of a CDK application, which repeats what is in its templates.
fn is_construct_tree(path: &str, text: &str) -> bool {
    const LONGEST_HEAD: usize = 64;
    let head: String = text.chars().take(LONGEST_HEAD).filter(|c| !c.is_whitespace()).collect();
    file_name(path) == "tree.json" && head.starts_with("{\"version\":\"tree-")
}

fn unit(sources: &Sources, file: FileId) -> LoweredUnit {
    let (path, text) = (sources.path(file), sources.text(file));
    if is_construct_tree(path, text) {
        return LoweredUnit::default();
    }
    let tree = data::parse(file, path, text);
    let mut walk = Walk {
        path: Arc::from(path),
        suggested: suggestion_of_path(path),
        unit: LoweredUnit::default(),
    };
    let functions = has_functions(text) || text.contains("\\u00") || text.contains("\\x");
    for &root in &tree.roots {
        if !is_foreign(&tree, root) {
            let value = data::value(&tree, root);
            let value = if is_filled_in(path) {
                replace_in_value(&value)
            } else {
                value
            };
            // A document with functions of CloudFormation is a part of a template, which fills them in.
            let value = if functions { with_holes(&value, 0) } else { value };
            if vendors::is_for_other_system(&value) {
                continue;
            }
            match is_policy_file(&value) {
                true => walk.document(&value, &[], None),
                false => walk.value(&value, &mut Vec::new(), None),
            }
        }
    }
    let mut unit = walk.unit;
    let found = !unit.loose.is_empty() || !unit.resources.is_empty();
    let is_json = path.ends_with(".json") || text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    let foreign = tree.roots.iter().any(|root| is_foreign(&tree, *root));
    let named = !foreign && (recognize::contains_policy(&tree) || is_json && recognize::contains_policy_elements(text));
    if found || named {
        let decides = |p: &Problem| {
            let written = text.as_bytes().get(p.span.start as usize..);
            p.kind == ProblemKind::NotEvaluated && written.is_some_and(is_directive)
        };
        let decided = tree.problems.iter().any(decides);
        let problems = tree.problems.iter().cloned().map(|mut p| {
            if is_json && p.kind == ProblemKind::Syntax {
                // What a template leaves out may be what is broken.
                p.kind = match decided {
                    true => ProblemKind::Template,
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
    let other = has("terraform_version") || (has("service") && has("provider"));
    recognize::is_tool_file(tree, root) || is_template(tree, root) || other
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
    let element = |e: &MapEntry| {
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
    suggested: Option<Suggested>,
    unit: LoweredUnit,
}

/// What is known of a document from where it stands.
#[derive(Clone, Copy)]
struct DocumentHint {
    kind: PolicyKind,
    service: Option<&'static str>,
}

impl Walk {
    /// Looks for documents in `value`, which stands at `pointer`.
    fn value(&mut self, value: &Value, pointer: &mut Vec<String>, hint: Option<DocumentHint>) {
        match &value.kind {
            ValueKind::Map(_) if recognize::is_event(value) || samples::is_copy_of_managed(value) => {}
            ValueKind::Map(_) if is_policy(value) => self.document(value, pointer, hint),
            ValueKind::Map(entries) => {
                self.note_account(value);
                if samples::is_recorded(value, pointer.len() <= 1) {
                    self.note_shown_only(value);
                }
                if self.api(value, pointer) {
                    return;
                }
                let here = api::hint(value).or(hint);
                for e in entries.iter() {
                    let Some(key) = e.key.known() else { continue };
                    let by_key = kind_of_key(&key).map(|(kind, service)| DocumentHint { kind, service });
                    pointer.push(key.into_owned());
                    self.value(&e.value, pointer, by_key.or(here));
                    pointer.pop();
                }
            }
            ValueKind::Seq(items) => {
                if samples::is_test_case_list(value) {
                    self.note_shown_only(value);
                }
                for (i, item) in items.iter().enumerate() {
                    pointer.push(i.to_string());
                    self.value(item, pointer, hint);
                    pointer.pop();
                }
            }
            ValueKind::Str(_) => {
                let key = pointer.iter().rev().find(|p| p.parse::<usize>().is_err());
                if key.is_some_and(|key| may_hold_document(key)) {
                    let (inner, problems) = encoded::document(value);
                    if is_policy(&inner) {
                        self.unit.problems.extend(problems);
                        self.document(&inner, pointer, hint);
                    }
                }
            }
            _ => {}
        }
    }

    /// Notes the account that an object says it belongs to.
    fn note_account(&mut self, value: &Value) {
        if let Some(account) = api::account(value) {
            self.unit.homes.push((value.span, account));
        }
    }

    /// Nothing in `value` grants anything. What is inside something else that shows policies is covered by that.
    fn note_shown_only(&mut self, value: &Value) {
        let known = self.unit.test_code.last();
        if !known.is_some_and(|outer| outer.contains(value.span)) {
            self.unit.test_code.push(value.span);
        }
    }

    fn document(&mut self, value: &Value, pointer: &[String], hint: Option<DocumentHint>) {
        let name = (!pointer.is_empty()).then(|| Address {
            scope: self.path.clone(),
            name: Arc::from(pointer.join("/")),
        });
        self.unit.loose.push(UnattachedPolicy {
            value: value.clone(),
            format: SourceFormat::Json,
            kind: hint.map(|h| h.kind),
            suggested: self.suggested,
            holders: Vec::new(),
            roles: Vec::new(),
            service: hint.and_then(|h| h.service).map(Arc::from),
            name,
            type_name: Arc::from(""),
        });
    }
}
