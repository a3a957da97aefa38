//! Terraform's names for what CloudFormation names otherwise.
//!
//! An argument that is not listed is its own name in CloudFormation's spelling: `max_session_duration` is
//! `MaxSessionDuration`. AWS provider documentation and CloudFormation User Guide, resource by resource.

mod holders;
mod partial;
mod types;

pub(crate) use partial::is_required;
use types::TYPES;

/// A resource type. Properties are `argument -> property`: `a.b` is an argument of a nested block, `X/Y` a property in a
/// property, `X[]` one that is always a list.
pub(crate) struct Type {
    pub(crate) terraform: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) properties: &'static [(&'static str, &'static str)],
}

/// Arguments that name another resource: a reference there stays a reference.
pub(crate) const LINKS: &[&str] = &[
    "agent_resource_role_arn",
    "bucket",
    "cloud_watch_logs_role_arn",
    "cloudwatch_role_arn",
    "cluster_arn",
    "cluster_name",
    "domain",
    "domain_name",
    "event_bus_name",
    "execution_role_arn",
    "file_system_id",
    "function_name",
    "group",
    "group_name",
    "groups",
    "iam_instance_profile",
    "iam_role_arn",
    "identity_pool_id",
    "image_id",
    "key_id",
    "layer_name",
    "managed_policy_arn",
    "managed_policy_arns",
    "monitoring_role_arn",
    "node_role_arn",
    "permission_set_arn",
    "permissions_boundary",
    "pod_execution_role_arn",
    "policy_arn",
    "policy_arns",
    "queue_url",
    "repository",
    "repository_name",
    "resource_arn",
    "rest_api_id",
    "role",
    "role_arn",
    "role_name",
    "roles",
    "secret_arn",
    "secret_id",
    "service_role",
    "service_role_arn",
    "snapshot_id",
    "task_role_arn",
    "topic_arn",
    "user",
    "user_name",
    "users",
    "vault_name",
];

/// The row of a type.
pub(crate) fn find(terraform: &str) -> Option<&'static Type> {
    let mut all = TYPES.iter().chain(holders::TYPES).chain(partial::TYPES);
    all.find(|t| t.terraform == terraform)
}

/// CloudFormation's spelling of an argument's name.
pub(crate) fn pascal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for part in name.split('_') {
        let mut chars = part.chars();
        if let Some(first) = chars.next() {
            out.extend(first.to_uppercase());
            out.push_str(chars.as_str());
        }
    }
    out
}
