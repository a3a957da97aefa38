//! Who may assume the roles that the modules make.

use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{MapEntry, Value};

use crate::formats::terraform::emit::registry::ModuleArguments;
use crate::formats::terraform::eval::policy_document::{as_set, policy};
use crate::formats::terraform::eval::values::pairs;

/// What the modules for GitHub's workflows trust.
const GITHUB: &str = "token.actions.githubusercontent.com";

/// Arguments that list the `sub` claims that are let in, and how they are compared.
const SUBJECTS: [(&str, &str); 5] = [
    ("subjects", "StringLike"),
    ("oidc_wildcard_subjects", "StringLike"),
    ("oidc_subjects_with_wildcards", "StringLike"),
    ("oidc_subjects", "StringEquals"),
    ("oidc_fully_qualified_subjects", "StringEquals"),
];

impl ModuleArguments {
    /// The trust policy that the arguments of a role module make.
    pub(super) fn trust(&self) -> Option<MapEntry> {
        if let Some(e) = self.first(&["custom_role_trust_policy", "assume_role_policy"]) {
            return Some(MapEntry::synthetic(
                "AssumeRolePolicyDocument",
                e.key_span,
                e.value.clone(),
            ));
        }
        if let Some(e) = self.first(&["trust_policy_permissions", "assume_role_policy_statements"]) {
            let document = self.statements(&e.value).unwrap_or_else(|| e.value.clone());
            return Some(MapEntry::synthetic("AssumeRolePolicyDocument", e.key_span, document));
        }
        let mut statements = Vec::new();
        let mut first = None;
        for (name, kind) in [
            ("trusted_role_arns", "AWS"),
            ("trusted_role_services", "Service"),
            ("trusted_entities", "Service"),
        ] {
            let Some(e) = self
                .entry(name)
                .filter(|e| e.value.as_seq().is_none_or(|s| !s.is_empty()))
            else {
                continue;
            };
            first.get_or_insert(e.key_span);
            let at = e.key_span;
            let span = at.cover(e.value.span);
            let text = |t: &str| Value::synthetic(t, at);
            let mut statement = vec![
                MapEntry::synthetic("Effect", at, text("Allow")),
                MapEntry::synthetic("Action", at, text("sts:AssumeRole")),
                MapEntry::synthetic(
                    "Principal",
                    at,
                    Value::map(vec![MapEntry::synthetic(kind, at, as_set(&e.value))], span),
                ),
            ];
            if kind == "AWS" && self.is_on("role_requires_mfa", true) {
                let mfa = Value::map(
                    vec![MapEntry::synthetic("aws:MultiFactorAuthPresent", at, text("true"))],
                    at,
                );
                statement.push(MapEntry::synthetic(
                    "Condition",
                    at,
                    Value::map(vec![MapEntry::synthetic("Bool", at, mfa)], at),
                ));
            } else if let Some(id) = self.entry("role_sts_externalid") {
                let id_map = Value::map(
                    vec![MapEntry::synthetic("sts:ExternalId", id.key_span, id.value.clone())],
                    id.key_span,
                );
                let condition = Value::map(
                    vec![MapEntry::synthetic("StringEquals", id.key_span, id_map)],
                    id.key_span,
                );
                statement.push(MapEntry::synthetic("Condition", id.key_span, condition));
            }
            statements.push(Value::map(statement, span));
        }
        for (at, statement) in self.federated() {
            first.get_or_insert(at);
            statements.push(statement);
        }
        let at = first?;
        Some(MapEntry::synthetic(
            "AssumeRolePolicyDocument",
            at,
            policy(statements, at, self.extent),
        ))
    }

    /// The statements for identity providers: workflows of GitHub, service accounts of a cluster.
    fn federated(&self) -> Vec<(Span, Value)> {
        let mut out = Vec::new();
        if let Some(e) = self.entry("oidc_providers") {
            for (_, provider) in pairs(&e.value).unwrap_or_default() {
                out.extend(self.service_accounts(e.key_span, &provider));
            }
        }
        let github = self.source.contains("github") || self.entry("enable_github_oidc").is_some();
        let named = self.first(&["provider_url", "oidc_provider_urls", "provider_urls"]);
        let url = match named.map(|e| e.value.items()) {
            Some([one]) => one.as_str().map(|url| url.trim_start_matches("https://").to_owned()),
            Some(_) => None,
            None => github.then(|| GITHUB.to_owned()),
        };
        let Some(url) = url else { return out };
        for (name, operator) in SUBJECTS {
            let Some(e) = self.entry(name).filter(|e| !e.value.items().is_empty()) else {
                continue;
            };
            let subjects = e.value.items().iter().map(|v| match v.as_text() {
                Some(text) if url == GITHUB && !text.prefix().starts_with("repo:") => {
                    let mut whole = Text::synthetic("repo:", v.span);
                    whole.append(text);
                    Value::text(whole, v.span)
                }
                _ => v.clone(),
            });
            let at = e.key_span;
            let mut provider = Text::synthetic("arn:", at);
            provider.append(&deployment_hole(
                HoleKind::Partition,
                "data.aws_partition.current.partition",
                at,
            ));
            provider.append(&Text::synthetic(":iam::", at));
            provider.append(&deployment_hole(
                HoleKind::Account,
                "data.aws_caller_identity.current.account_id",
                at,
            ));
            provider.append(&Text::synthetic(&format!(":oidc-provider/{url}"), at));
            let audience = self.first(&["audience", "oidc_audiences", "oidc_fully_qualified_audiences"]);
            let audience = audience.map_or_else(|| Value::synthetic("sts.amazonaws.com", at), |e| e.value.clone());
            let provider = Value::text(provider, at);
            let subjects = Value::seq(subjects.collect(), e.value.span);
            let statement = web_identity(at, &url, provider, (operator, subjects), audience);
            out.push((at, statement));
        }
        out
    }

    /// One item of `oidc_providers`: `{provider_arn, namespace_service_accounts}`.
    fn service_accounts(&self, at: Span, provider: &Value) -> Option<(Span, Value)> {
        let arn = provider.get("provider_arn")?;
        let accounts = provider.get("namespace_service_accounts")?;
        let known = arn.as_str()?;
        let (_, url) = known.split_once(":oidc-provider/")?;
        let subjects = accounts.items().iter().map(|v| match v.as_text() {
            Some(text) => {
                let mut whole = Text::synthetic("system:serviceaccount:", v.span);
                whole.append(text);
                Value::text(whole, v.span)
            }
            None => v.clone(),
        });
        let subjects = Value::seq(subjects.collect(), accounts.span);
        let operator = match self.first(&["assume_role_condition_test", "trust_condition_test"]) {
            Some(e) => e.value.as_str()?.into_owned(),
            None => "StringEquals".to_owned(),
        };
        let audience = Value::synthetic("sts.amazonaws.com", at);
        let statement = web_identity(at, url, arn.clone(), (&operator, subjects), audience);
        Some((at, statement))
    }
}

fn web_identity(at: Span, url: &str, provider: Value, subjects: (&str, Value), audience: Value) -> Value {
    let text = |t: &str| Value::synthetic(t, at);
    let (operator, subjects) = subjects;
    let who = MapEntry::synthetic(&format!("{url}:sub"), at, subjects);
    let audience = MapEntry::synthetic(&format!("{url}:aud"), at, audience);
    let conditions = if operator == "StringEquals" {
        vec![MapEntry::synthetic(
            "StringEquals",
            at,
            Value::map(vec![audience, who], at),
        )]
    } else {
        vec![
            MapEntry::synthetic("StringEquals", at, Value::map(vec![audience], at)),
            MapEntry::synthetic(operator, at, Value::map(vec![who], at)),
        ]
    };
    let entries = vec![
        MapEntry::synthetic("Effect", at, text("Allow")),
        MapEntry::synthetic("Action", at, text("sts:AssumeRoleWithWebIdentity")),
        MapEntry::synthetic(
            "Principal",
            at,
            Value::map(vec![MapEntry::synthetic("Federated", at, provider)], at),
        ),
        MapEntry::synthetic("Condition", at, Value::map(conditions, at)),
    ];
    Value::map(entries, at)
}

fn deployment_hole(kind: HoleKind, name: &str, at: Span) -> Text {
    Text::hole(Hole::new(kind, name, at))
}
