//! The role that SAM makes for a function or a state machine that names none.

use crate::formats::cloudformation::emit::resources::Base;
use crate::formats::cloudformation::eval::text::arn;
use crate::iam::catalogue;
use crate::iam::managed::aws_managed_name;
use crate::model::Resource;
use crate::source::{Span, Text};
use crate::value::{Guard, MapEntry, Value, ValueKind};

use crate::formats::cloudformation::emit::sam::props::{SamProperties, document, map, under_condition};
use crate::formats::cloudformation::emit::sam::{Sam, templates};

/// What the role is made of.
pub(super) struct SamRole<'a> {
    /// Its logical id.
    pub(super) id: String,
    /// What asks for it: all that the translator adds lies here.
    pub(super) at: Span,
    /// Who assumes it by default: `lambda.amazonaws.com`.
    pub(super) service: &'static str,
    pub(super) policies: Option<MapEntry>,
    pub(super) trust: Option<MapEntry>,
    /// AWS managed policies that the translator adds, with their paths.
    pub(super) added: Vec<&'static str>,
    /// Inline policies that the translator writes.
    pub(super) inline: Vec<Value>,
    /// Properties of the SAM resource that the role takes over.
    pub(super) props: &'a SamProperties,
    /// Set where the resource names a role in one branch only.
    pub(super) branch: Option<Guard>,
}

impl Sam<'_, '_> {
    /// A role that the translator makes. What is written in the template is under CloudFormation's own properties; what the translator
    /// adds is under `GeneratedManagedPolicyArns`, and `SamTemplate` says that the trust policy is its own.
    pub(super) fn role(&self, base: &Base, role: SamRole<'_>) -> Resource {
        let at = role.at;
        let mut props = SamProperties { entries: Vec::new() };
        match role.trust {
            Some(trust) => props.entries.push(trust),
            None => {
                props.push("AssumeRolePolicyDocument", at, default_trust(role.service, at));
                props.push("SamTemplate", at, Value::synthetic("AssumeRolePolicyDocument", at));
            }
        }
        let mut inline = role.inline;
        let mut key = at;
        let mut named: Vec<String> = Vec::new();
        if let Some(policies) = &role.policies {
            let mut sorted = SortedPolicies {
                id: &base.id,
                managed: Vec::new(),
                inline: Vec::new(),
            };
            sorted.add_policies(&policies.value, &Guard::default(), 0);
            let span = policies.value.span;
            if !sorted.managed.is_empty() {
                let texts = sorted.managed.iter().filter_map(Value::as_text);
                named = texts.filter_map(aws_managed_name).collect();
                let entry = (policies.key_span, Value::seq(sorted.managed, span));
                props.push("ManagedPolicyArns", entry.0, entry.1);
            }
            if !sorted.inline.is_empty() {
                key = policies.key_span;
                // Written ones first: their places in the list are what messages tell.
                sorted.inline.append(&mut inline);
                inline = sorted.inline;
            }
        }
        if !inline.is_empty() {
            props.push("Policies", key, Value::seq(inline, key));
        }
        // The translator attaches a policy once.
        let added = role.added.iter().filter(|name| named.iter().all(|n| n != *name));
        let added = added.map(|name| {
            let text = arn(&format!("arn:%partition:iam::aws:policy/{name}"), at);
            Value::text(text, at)
        });
        let added = Value::new(ValueKind::Seq(added.collect()), at);
        props.push("GeneratedManagedPolicyArns", at, added);
        for (from, to) in [
            ("PermissionsBoundary", "PermissionsBoundary"),
            ("RolePath", "Path"),
            ("Tags", "Tags"),
        ] {
            if let Some(entry) = role
                .props
                .entries
                .iter()
                .find(|e| e.key.known().as_deref() == Some(from))
            {
                props.push(to, entry.key_span, entry.value.clone());
            }
        }
        let mut resource = self.make_resource("AWS::IAM::Role", &role.id, base, props);
        resource.header = at;
        resource.branch = match (&base.branch, role.branch) {
            (Some(a), Some(b)) => Some(a.and(&b)),
            (a, b) => a.clone().or(b),
        };
        resource
    }
}

/// `{Version, Statement: [{Effect: Allow, Action: [sts:AssumeRole], Principal: {Service: [service]}}]}`.
fn default_trust(service: &str, at: Span) -> Value {
    let one = |text: &str| Value::seq(vec![Value::synthetic(text, at)], at);
    let statement = map(
        vec![
            ("Effect", Value::synthetic("Allow", at)),
            ("Action", one("sts:AssumeRole")),
            ("Principal", map(vec![("Service", one(service))], at)),
        ],
        at,
    );
    document(vec![statement], at)
}

/// The items of `Policies` by what they are.
struct SortedPolicies<'a> {
    id: &'a str,
    managed: Vec<Value>,
    inline: Vec<Value>,
}

impl SortedPolicies<'_> {
    /// `Policies` is one policy or a list; `Fn::If` may stand for either, or for an item.
    fn add_policies(&mut self, value: &Value, when: &Guard, depth: usize) {
        let label = (!when.is_always()).then_some(when);
        match &value.kind {
            ValueKind::Seq(items) if depth < 8 => {
                items.iter().for_each(|item| self.add_policies(item, when, depth + 1))
            }
            ValueKind::OneOf(branches) if depth < 8 => {
                for branch in branches.iter() {
                    self.add_policies(&branch.value, &when.and(&branch.when), depth + 1);
                }
            }
            ValueKind::Str(text) => {
                let value = match managed_arn(text) {
                    Some(arn) => Value {
                        kind: ValueKind::Str(arn),
                        ..value.clone()
                    },
                    None => value.clone(),
                };
                self.managed.push(under_condition(label, value));
            }
            ValueKind::Map(entries) => self.object(value, entries, label),
            ValueKind::Null => {}
            _ => self.managed.push(under_condition(label, value.clone())),
        }
    }

    fn object(&mut self, value: &Value, entries: &[MapEntry], label: Option<&Guard>) {
        if value.get("Statement").is_some() {
            self.document(value.clone(), value.span, label);
        } else if let Some(document) = value.entry("PolicyDocument") {
            // CloudFormation's form, which SAM does not know; what it means is clear all the same.
            self.document(document.value.clone(), document.key_span, label);
        } else if value.get("Effect").is_some() {
            // A statement where a document should be.
            let statement = Value::seq(vec![value.clone()], value.span);
            let entries = vec![
                MapEntry::synthetic("Version", value.span, Value::synthetic("2012-10-17", value.span)),
                MapEntry::synthetic("Statement", value.span, statement),
            ];
            self.document(Value::map(entries, value.span), value.span, label);
        } else if entries.len() > 1
            || entries
                .iter()
                .any(|e| e.key.display().to_lowercase().starts_with("state"))
        {
            // A document whose elements are misspelled.
            self.document(value.clone(), value.span, label);
        } else if let [template] = entries {
            let name = template.key.display();
            match templates::expand(&name, &template.value, template.key_span) {
                Some(document) => self.template(&name, template, document, label),
                // A template that is newer than our list of them.
                None => self
                    .managed
                    .push(under_condition(label, Value::unknown_other(name, template.key_span))),
            }
        }
    }

    fn document(&mut self, document: Value, at: Span, label: Option<&Guard>) {
        let name = format!("{}RolePolicy{}", self.id, self.inline.len());
        let entries = vec![
            ("PolicyName", Value::synthetic(&name, at)),
            ("PolicyDocument", under_condition(label, document)),
        ];
        self.inline.push(map(entries, at));
    }

    fn template(&mut self, name: &str, template: &MapEntry, document: Value, label: Option<&Guard>) {
        let at = template.key_span;
        let entries = vec![
            ("PolicyName", Value::text(template.key.clone(), at)),
            ("SamTemplate", Value::synthetic(name, at)),
            ("PolicyDocument", under_condition(label, document)),
        ];
        self.inline.push(map(entries, at));
    }
}

/// The ARN of an AWS managed policy that is given by name; the name stays where it is written.
fn managed_arn(text: &Text) -> Option<Text> {
    let name = text.known()?;
    if name.starts_with("arn:") || name.is_empty() {
        return None;
    }
    let at = text.span_of(0..name.len())?;
    let path = match catalogue().managed_policy(&name) {
        Some(policy) => policy.arn.strip_suffix(policy.name)?,
        None => return None,
    };
    let path = path.strip_prefix("arn:aws:")?;
    let mut out = arn(&format!("arn:%partition:{path}"), at);
    // A name may be given with its path.
    let bare = name.rfind('/').map_or(0, |i| i + 1);
    out.append(&text.slice(bare..name.len()));
    Some(out)
}
