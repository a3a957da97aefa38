//! Which account a resource is made in, as far as the provider blocks say it.
//!
//! Terraform documentation, "Provider Configuration", "The provider Meta-Argument", "Providers Within Modules"; AWS provider
//! documentation, "Authentication and Configuration".

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::iam::arn::{Arn, is_account_id};
use crate::source::Text;
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::{Value, ValueKind};

use crate::formats::terraform::eval::evaluator::TerraformEvaluator;
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::parse::directory::{Decl, HclExpr};

/// By what a provider is called in a module, `aws` or `aws.prod`: its account, or `None` for that of the root module's `aws`.
pub(crate) type ProviderAccounts = BTreeMap<String, Option<Arc<str>>>;

/// The provider of resources that name none.
const DEFAULT: &str = "aws";

/// Words in names of aliases that are for another region of the same account.
const OF_REGIONS: &[&str] = &[
    "acm",
    "california",
    "cloudfront",
    "edge",
    "frankfurt",
    "global",
    "ireland",
    "london",
    "mumbai",
    "ohio",
    "oregon",
    "primary",
    "region",
    "replica",
    "secondary",
    "singapore",
    "sydney",
    "tokyo",
    "virginia",
    "waf",
];

impl<'a> TerraformEvaluator<'a> {
    /// The account of a declared resource.
    pub(crate) fn account(&self, module: &Rc<TerraformModule<'a>>, decl: &Decl<'a>) -> Option<Arc<str>> {
        let provider = decl.expr("provider").and_then(|e| provider_name(e.tree, e.node));
        self.account_of(module, provider.as_deref().unwrap_or(DEFAULT))
    }

    /// The number of the account that the provider of most resources of a root module is kept to, or whose role it assumes.
    pub(crate) fn account_number(&self, module: &Rc<TerraformModule<'a>>) -> Option<Arc<str>> {
        let mut of_aws = module.directory.providers.iter();
        let default = of_aws.find(|d| d.block().label(0) == DEFAULT && d.expr("alias").is_none())?;
        self.credentials(module, default)
            .filter(|account| is_account_id(account))
    }

    /// What a call hands to the module.
    pub(crate) fn handed(&self, caller: &Rc<TerraformModule<'a>>, decl: &Decl<'a>) -> ProviderAccounts {
        let default = self.account_of(caller, DEFAULT);
        let mut out = ProviderAccounts::from([(DEFAULT.to_owned(), default)]);
        let Some(HclExpr { tree, node }) = decl.expr("providers") else {
            return out;
        };
        let children: Vec<NodeId> = tree.children(node).collect();
        for pair in children.chunks(2) {
            if let [inside, outside] = pair
                && let (Some(inside), Some(outside)) = (provider_name(tree, *inside), provider_name(tree, *outside))
            {
                out.insert(inside, self.account_of(caller, &outside));
            }
        }
        out
    }

    fn account_of(&self, module: &Rc<TerraformModule<'a>>, provider: &str) -> Option<Arc<str>> {
        let accounts = match module.accounts.get() {
            Some(accounts) => Some(accounts),
            // A provider whose role is an output of a module, which has that provider.
            None if module.reads_accounts.replace(true) => None,
            None => {
                let read = self.accounts(module);
                Some(module.accounts.get_or_init(|| read))
            }
        };
        match accounts.and_then(|all| all.get(provider)) {
            Some(account) => account.clone(),
            None => of_alias(provider),
        }
    }

    fn accounts(&self, module: &Rc<TerraformModule<'a>>) -> ProviderAccounts {
        let mut out = ProviderAccounts::new();
        for decl in &module.directory.providers {
            let block = decl.block();
            if !matches!(block.label(0), "aws" | "awscc") {
                continue;
            }
            let alias = decl.expr("alias").map(|e| self.expr(e, &module.env()));
            let name = match alias.as_ref().and_then(Value::as_str) {
                Some(alias) => format!("{}.{alias}", block.label(0)),
                None => block.label(0).to_owned(),
            };
            // A block with a name alone says that the caller hands the provider in.
            let is_proxy = block.body.blocks.is_empty()
                && block
                    .body
                    .attributes
                    .iter()
                    .all(|a| matches!(&*a.name, "alias" | "version"));
            let account = match is_proxy {
                true => of_alias(&name),
                false => self.credentials(module, decl),
            };
            out.insert(name, account);
        }
        if module.arguments.is_none() {
            let default = out.get(DEFAULT).cloned().flatten();
            for (name, account) in &mut out {
                if *account == default || is_of_region(name) {
                    *account = None;
                } else if account.is_none() {
                    *account = Some(Arc::from(DEFAULT));
                }
            }
        }
        out.extend(module.handed.clone());
        out
    }

    /// Whose credentials a provider uses: the account that it is kept to, that of the role it assumes, a profile, or a key.
    fn credentials(&self, module: &Rc<TerraformModule<'a>>, decl: &Decl<'a>) -> Option<Arc<str>> {
        let shown = |e: HclExpr<'a>| shown(&self.expr(e, &module.env()));
        if let Some(kept) = decl.expr("allowed_account_ids").and_then(shown) {
            return Some(kept.into());
        }
        let roles = decl.parts.iter().flat_map(|p| {
            let assumed = ["assume_role", "assume_role_with_web_identity"].into_iter();
            let blocks = assumed.flat_map(|kind| p.block.body.blocks(kind));
            blocks.filter_map(|b| {
                let node = b.body.attribute("role_arn")?.value;
                Some(HclExpr { tree: p.tree, node })
            })
        });
        let role = roles.last().map(|e| self.expr(e, &module.env()));
        if let Some(role) = role.filter(|v| !v.is_null()) {
            let account = role
                .as_text()
                .and_then(|t| Some(Arn::parse(t)?.account.to_text().display()));
            return account.or_else(|| self::shown(&role)).map(Into::into);
        }
        let named = ["profile", "access_key"].into_iter().filter_map(|a| decl.expr(a));
        named.filter_map(shown).next().map(Into::into)
    }
}

/// The account of a provider that is named and not configured.
fn of_alias(provider: &str) -> Option<Arc<str>> {
    let alias = provider.split_once('.').filter(|_| !is_of_region(provider));
    alias.map(|(_, alias)| alias.into())
}

/// `aws.prod`, as a reference or in quotes.
fn provider_name(tree: &Tree, node: NodeId) -> Option<String> {
    match tree.kind(node) {
        Node::Ident => Some(tree.name(node).to_owned()),
        Node::Attr => {
            let of = tree.children(node).next()?;
            (tree.kind(of) == Node::Ident).then(|| format!("{}.{}", tree.name(of), tree.name(node)))
        }
        _ => tree.text(node).and_then(Text::known).map(Into::into),
    }
}

fn shown(value: &Value) -> Option<String> {
    let shown = match &value.kind {
        ValueKind::Seq(items) => items.first()?.as_text()?.display(),
        _ => value.to_text()?.display(),
    };
    (!shown.is_empty()).then_some(shown)
}

/// Whether a provider is called like a region: `aws.us-east-1`, `aws.use1`, `aws.virginia`.
fn is_of_region(provider: &str) -> bool {
    let Some((_, alias)) = provider.split_once('.') else {
        return false;
    };
    let alias = alias.to_ascii_lowercase();
    if OF_REGIONS.iter().any(|word| alias.contains(word)) {
        return true;
    }
    let letters: String = alias.chars().filter(char::is_ascii_alphanumeric).collect();
    let areas = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx", "cn"];
    let Some(mut rest) = areas.iter().find_map(|area| letters.strip_prefix(area)) else {
        return false;
    };
    let sides = [
        "gov", "north", "south", "east", "west", "central", "n", "s", "e", "w", "c",
    ];
    let whole = rest;
    while let Some(shorter) = sides.iter().find_map(|side| rest.strip_prefix(side)) {
        rest = shorter;
    }
    rest.len() < whole.len() && rest.len() < 2 && rest.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_of_region;

    #[test]
    fn names_of_regions() {
        for (name, expected) in [
            ("aws.us-east-1", true),
            ("aws.us_east_1", true),
            ("aws.use1", true),
            ("aws.usw2", true),
            ("aws.ap-southeast-2", true),
            ("aws.us-gov-west-1", true),
            ("aws.eu", false),
            ("aws.virginia", true),
            ("aws.cloudfront", true),
            ("aws.dev", false),
            ("aws.prod", false),
            ("aws.security", false),
            ("aws.master", false),
            ("aws", false),
        ] {
            assert_eq!(is_of_region(name), expected, "{name}");
        }
    }
}
