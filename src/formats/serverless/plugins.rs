//! Plugins and extensions that may add to the role of the functions.
//! Serverless Framework documentation, "Plugins", "Override AWS CloudFormation Resource".

use crate::source::Span;
use crate::syntax::{NodeId, NodeKind, Tree};

/// Plugins that add nothing to the role; that of `serverless-iam-roles-per-function` is read.
const WITHOUT_POLICIES: &[&str] = &[
    "serverless-api-gateway-throttling",
    "serverless-apigateway-route-settings",
    "serverless-bundle",
    "serverless-deployment-bucket",
    "serverless-domain-manager",
    "serverless-dotenv-plugin",
    "serverless-dynamodb-local",
    "serverless-esbuild",
    "serverless-export-env",
    "serverless-finch",
    "serverless-iam-roles-per-function",
    "serverless-offline",
    "serverless-offline-sqs",
    "serverless-plugin-aws-alerts",
    "serverless-plugin-common-excludes",
    "serverless-plugin-git-variables",
    "serverless-plugin-include-dependencies",
    "serverless-plugin-log-retention",
    "serverless-plugin-optimize",
    "serverless-plugin-resource-tagging",
    "serverless-plugin-scripts",
    "serverless-plugin-split-stacks",
    "serverless-plugin-typescript",
    "serverless-prune-plugin",
    "serverless-pseudo-parameters",
    "serverless-python-requirements",
    "serverless-s3-sync",
    "serverless-stack-output",
    "serverless-webpack",
    "serverless-wsgi",
];

/// The role that the Framework makes for all functions.
const ROLE: &str = "IamRoleLambdaExecution";

/// What may add policies to the role of the functions, and where that is written.
pub(super) fn completions(tree: &Tree, root: NodeId) -> Vec<Span> {
    let mut out = Vec::new();
    if let Some(plugins) = tree.get(root, "plugins") {
        let list = tree.get(plugins, "modules").unwrap_or(plugins);
        let items = (tree.kind(list) == NodeKind::Seq).then(|| tree.children(list));
        for item in items.into_iter().flatten() {
            let name = tree.text(item).and_then(|t| Some(t.known()?.into_owned()));
            if name.is_none_or(|name| !WITHOUT_POLICIES.contains(&&*name)) {
                out.push(tree.span(item));
            }
        }
    }
    let role = ["resources", "extensions", ROLE, "Properties"];
    let role = role.iter().try_fold(root, |at, key| tree.get(at, key));
    let policies = role.and_then(|r| tree.get(r, "ManagedPolicyArns").or_else(|| tree.get(r, "Policies")));
    out.extend(policies.map(|p| tree.span(p)));
    out
}
