//! Terraform's names of arguments. AWS provider documentation, resource by resource.

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

/// Whether the provider demands a policy in this argument of a type: a variable without a value must get one from a caller.
pub(crate) fn is_required(terraform: &str, argument: &str) -> bool {
    match argument {
        "assume_role_policy" => terraform == "aws_iam_role",
        "policy" | "policy_document" | "inline_policy" | "resource_policy" | "access_policy" | "access_policies" => {
            ["_policy", "_policy_attachment", "_vault_lock"]
                .iter()
                .any(|end| terraform.ends_with(end))
        }
        _ => false,
    }
}
