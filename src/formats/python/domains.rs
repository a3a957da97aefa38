//! Search domains that the CDK makes: their policies, and whether they are in a VPC.
//! AWS CDK API Reference, `aws_cdk.aws_opensearchservice` and `aws_cdk.aws_elasticsearch`.

use std::collections::BTreeMap;

use super::loose::{AssignedNames, document_with};
use super::resources::{CallLowering, synthetic_entry};
use crate::iam::SourceFormat;
use crate::model::Resource;
use crate::python::{ArgName, CallExpr, ExprId, ExprKind};
use crate::value::Value;

/// A domain, and the statements that are given to it.
pub(super) struct Domain {
    pub(super) statements: Vec<ExprId>,
}

impl CallLowering<'_> {
    /// The domains of the module that have policies, by the calls that make them.
    pub(super) fn domains(&self) -> BTreeMap<ExprId, Domain> {
        let m = self.module_ref();
        let mut out: BTreeMap<ExprId, Domain> = BTreeMap::new();
        let mut added: Vec<(ExprId, ExprId)> = Vec::new();
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            if self.is_domain(call) {
                let Some(policies) = call.keyword("access_policies") else {
                    continue;
                };
                let statements = self.known_statements(policies);
                out.insert(expr, Domain { statements });
            } else if let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind
                && &**name == "add_access_policies"
                && let Some(made) = m.defining_expression(*of)
            {
                for a in &call.args {
                    added.extend(self.known_statements(a.value).into_iter().map(|s| (made, s)));
                }
            }
        }
        for (made, statement) in added {
            if m.call(made).is_some_and(|call| self.is_domain(call)) {
                let domain = out.entry(made).or_insert_with(|| Domain { statements: Vec::new() });
                domain.statements.push(statement);
            }
        }
        out
    }

    /// The statements that stand in an argument.
    fn known_statements(&self, expr: ExprId) -> Vec<ExprId> {
        let found = self.statements_in(expr, 0).into_iter();
        found.filter(|f| f.known).map(|f| f.expr).collect()
    }

    fn is_domain(&self, call: &CallExpr) -> bool {
        matches!(&*self.class_of(call), "Domain" | "CfnDomain")
            && self
                .program
                .library(self.module, call.function)
                .is_some_and(|name| name.contains("opensearch") || name.contains("elasticsearch"))
    }

    /// The domain as a resource with the policy that `statements` are.
    pub(super) fn domain(&self, expr: ExprId, call: &CallExpr, domain: &Domain, statements: Vec<Value>) -> Resource {
        let m = self.module_ref();
        let span = m.expr(expr).span;
        let mut entries = Vec::new();
        for a in &call.args {
            let ArgName::Keyword(name, _) = &a.name else { continue };
            let value = self.values.value(self.module, a.value);
            match &**name {
                "vpc_options" | "vpc" if !value.is_null() => entries.push(synthetic_entry("VPCOptions", value)),
                "domain_name" => entries.push(synthetic_entry("DomainName", value)),
                "access_policies" if domain.statements.is_empty() => {
                    entries.push(synthetic_entry("AccessPolicies", value));
                }
                _ => {}
            }
        }
        if !domain.statements.is_empty() {
            entries.push(synthetic_entry("AccessPolicies", document_with(statements, span)));
        }
        Resource {
            kind: "AWS::OpenSearchService::Domain".into(),
            type_name: self.class_of(call).into(),
            address: AssignedNames::function(self, expr, "Domain"),
            format: SourceFormat::Python,
            header: m.expr(call.function).span,
            extent: span,
            props: Value::map(entries, span),
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        }
    }
}
