//! Policies that properties of resources stand for: what the permissions and the URL of a function say, as AWS writes it into the
//! function's policy.

use std::collections::BTreeMap;

use super::gates::allow_statement;
use super::{RepositoryPlace, ResourceId};
use crate::iam::condition::Operator;
use crate::iam::{Clause, ClauseItem, Condition, Document, PolicyKind, PrincipalItem, PrincipalType, Statement};
use crate::model::Resource;
use crate::source::Text;
use crate::value::Value;

/// A policy of one statement, and what it is on.
#[derive(Debug)]
pub(super) struct StatedPolicy {
    /// `None`: not known, or not in the repository.
    pub(super) on: Option<ResourceId>,
    pub(super) document: Document,
}

/// A namespace, and the name or the ARN of a resource in it.
pub(super) type TargetName<'p> = (Option<&'p str>, String);

pub(super) type TargetNames<'p> = BTreeMap<TargetName<'p>, ResourceId>;

impl<'p> RepositoryPlace<'p> {
    pub(super) fn targets_by_name(&self) -> TargetNames<'p> {
        let mut out = BTreeMap::new();
        for (id, r) in self.project().resources.iter_enumerated() {
            let Some(arn) = self.arn(id) else { continue };
            let name = arn.rsplit([':', '/']).next().unwrap_or_default().to_owned();
            out.entry((r.namespace(), name)).or_insert(id);
            out.entry((r.namespace(), arn)).or_insert(id);
        }
        out
    }

    /// In the order of the resources.
    pub(super) fn stated_policies(
        &self,
        named: &dyn Fn(&TargetName<'static>) -> Option<ResourceId>,
    ) -> Vec<StatedPolicy> {
        let all = self.project().resources.iter_enumerated();
        let stated = all.filter_map(|(id, r)| {
            let (mut statement, function) = match &*r.kind {
                "AWS::Lambda::Permission" => self.permission(r),
                "AWS::Lambda::Url" => self.open_url(r),
                _ => None,
            }?;
            let on = self.function(function, named);
            statement.resource = Some(self.resource_clause(r, on, function)?);
            let document = Document {
                kind: PolicyKind::Resource,
                service: Some("lambda".into()),
                statements: vec![statement],
                resource: Some(id),
                span: r.header,
                format: r.format,
                ..Document::empty()
            };
            Some(StatedPolicy { on, document })
        });
        stated.collect()
    }

    fn function(
        &self,
        value: &Value,
        named: &dyn Fn(&TargetName<'static>) -> Option<ResourceId>,
    ) -> Option<ResourceId> {
        let target = value.as_hole().and_then(|h| h.target.as_ref());
        let referred = target.and_then(|t| self.project().resource_at(t));
        let by_name = || {
            let text = self.filled_text(&value.to_text()?);
            named(&(Some("Lambda"), text.known()?.into_owned()))
        };
        referred.map(|(id, _)| id).or_else(by_name)
    }

    /// The function, or the version or alias of it.
    fn resource_clause(&self, r: &Resource, on: Option<ResourceId>, named: &Value) -> Option<Clause> {
        let written = self.filled_text(&named.to_text()?);
        let is_arn = written.known().is_some_and(|t| t.starts_with("arn:"));
        let mut text = match on.and_then(|id| self.partial_arn(id)) {
            Some(arn) => arn,
            None if is_arn || !written.is_known() => written,
            None => {
                let head = format!("arn:aws:lambda:{}:{}:function:", self.region, self.account);
                let mut text = Text::synthetic(&head, named.span);
                text.append(&written);
                text
            }
        };
        if let Some(qualifier) = r.get("Qualifier").filter(|v| !v.is_null()).and_then(Value::to_text) {
            text.append(&Text::synthetic(":", named.span));
            text.append(&self.filled_text(&qualifier));
        }
        Some(Clause {
            negated: false,
            key: named.span,
            span: named.span,
            items: vec![ClauseItem::new(text, named.span)],
            list: false,
            complete: true,
            sets: Default::default(),
        })
    }

    /// AWS Lambda API Reference, "AddPermission".
    fn permission<'r>(&self, r: &'r Resource) -> Option<(Statement, &'r Value)> {
        let mut out = self.allow(r, texts(r, "Action")?, texts(r, "Principal")?);
        for (property, operator, key) in [
            ("SourceArn", "ArnLike", "aws:SourceArn"),
            ("SourceAccount", "StringEquals", "aws:SourceAccount"),
            ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
            ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
            ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ] {
            if let Some(value) = r.get(property).filter(|v| !v.is_null()) {
                out.conditions.push(condition(r, operator, key, value));
            }
        }
        out.condition_key = (!out.conditions.is_empty()).then_some(r.header);
        Some((out, r.get("FunctionName")?))
    }

    /// AWS Lambda Developer Guide, "Control access to Lambda function URLs".
    fn open_url<'r>(&self, r: &'r Resource) -> Option<(Statement, &'r Value)> {
        r.get("AuthType").filter(|v| v.as_str().as_deref() == Some("NONE"))?;
        let one = |t: &str| vec![Text::synthetic(t, r.header)];
        let out = self.allow(r, one("lambda:InvokeFunctionUrl"), one("*"));
        Some((out, r.get("TargetFunctionArn")?))
    }

    fn allow(&self, r: &Resource, actions: Vec<Text>, principals: Vec<Text>) -> Statement {
        let place = |property: &str| r.get(property).map_or(r.header, |v| v.span);
        let principal_at = place(if r.has("Principal") { "Principal" } else { "AuthType" });
        let mut items = principals.iter().map(|principal| {
            let principal = self.filled_text(principal);
            let kind = match principal.known() {
                _ if principal.display().ends_with(".amazonaws.com") => PrincipalType::Service,
                Some(_) => PrincipalType::Aws,
                // An account, an ARN, or a service.
                None => PrincipalType::Unknown,
            };
            (kind, ClauseItem::new(principal, principal_at))
        });
        let actions = actions
            .iter()
            .map(|action| ClauseItem::new(self.filled_text(action), place("Action")));
        let mut actions = actions.collect::<Vec<_>>().into_iter();
        let nothing = || ClauseItem::new(Text::default(), r.header);
        let (kind, first) = items.next().unwrap_or_else(|| (PrincipalType::Unknown, nothing()));
        let mut out = allow_statement(r.header, actions.next().unwrap_or_else(nothing), kind, first);
        if let Some(clause) = &mut out.action {
            clause.items.extend(actions);
        }
        if let Some(clause) = &mut out.principal {
            clause.items.extend(items.map(|(kind, value)| PrincipalItem {
                kind,
                type_key: None,
                value,
                home: None,
            }));
        }
        out.branch.clone_from(&r.branch);
        out
    }
}

/// The text of a property, or those of a list that stands where one text goes.
fn texts(r: &Resource, property: &str) -> Option<Vec<Text>> {
    let found: Option<Vec<Text>> = r.get(property)?.items().iter().map(Value::to_text).collect();
    found.filter(|texts| !texts.is_empty())
}

fn condition(r: &Resource, operator: &str, key: &str, value: &Value) -> Condition {
    let item = |text: &str| ClauseItem::new(Text::synthetic(text, r.header), r.header);
    let mut out = Condition::new(item(operator), item(key), value.span);
    debug_assert!(Operator::parse(operator).is_some());
    let text = value.to_text();
    out.complete = text.is_some();
    out.values.extend(text.map(|t| ClauseItem::new(t, value.span)));
    out
}
