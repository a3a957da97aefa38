//! Which provider a module that is not here is for: its address says so.

/// Providers that make nothing in AWS: HashiCorp's utilities, and other clouds and services. What a module for Kubernetes or
/// Helm makes may be a role of AWS too.
const OTHERS: &[&str] = &[
    "alicloud",
    "archive",
    "azuread",
    "azurerm",
    "cloudflare",
    "cloudinit",
    "datadog",
    "digitalocean",
    "external",
    "github",
    "gitlab",
    "google",
    "google-beta",
    "http",
    "ibm",
    "local",
    "null",
    "oci",
    "pagerduty",
    "random",
    "template",
    "time",
    "tls",
    "yaml",
];

/// The module makes nothing in AWS. A registry address is `[HOST/]NAMESPACE/NAME/PROVIDER`, and a repository of a module is
/// called `terraform-PROVIDER-NAME` (Terraform documentation, "Module Sources" and "Publish Modules").
pub(crate) fn is_of_another_provider(source: &str) -> bool {
    let address = source.split('?').next().unwrap_or(source);
    let (scheme, path) = address.split_once("://").unwrap_or(("", address));
    let package = path.split("//").next().unwrap_or(path);
    let parts: Vec<&str> = package.split('/').collect();
    let last = parts.last().copied().unwrap_or_default();
    let is_host = |part: &&str| part.contains('.') || part.contains(':');
    let provider = match parts.as_slice() {
        [_, _, provider] if scheme.is_empty() && !parts.iter().any(&is_host) => *provider,
        [host, _, _, provider] if scheme.is_empty() && is_host(host) && !host.contains('@') => *provider,
        _ => {
            let name = last.strip_suffix(".git").unwrap_or(last);
            let rest = name.strip_prefix("terraform-").unwrap_or_default();
            return OTHERS
                .iter()
                .any(|p| rest.strip_prefix(p).is_some_and(|rest| rest.starts_with('-')));
        }
    };
    OTHERS.contains(&provider)
}

#[cfg(test)]
mod tests {
    use super::is_of_another_provider;

    #[test]
    fn the_address_of_a_module_names_its_provider() {
        for (source, expected) in [
            ("cloudposse/label/null", true),
            ("cloudposse/stack-config/yaml//modules/remote-state", true),
            ("app.terraform.io/example/network/azurerm", true),
            ("terraform-google-modules/network/google", true),
            (
                "git::https://github.com/cloudposse/terraform-null-label.git?ref=tags/0.25.0",
                true,
            ),
            ("github.com/cloudposse/terraform-null-label?ref=0.25.0", true),
            ("git@github.com:cloudposse/terraform-null-label.git", true),
            ("terraform-aws-modules/iam/aws//modules/iam-policy", false),
            ("app.terraform.io/example/roles/aws", false),
            ("git::https://github.com/example/terraform-aws-null.git", false),
            ("github.com/example/null", false),
            ("github.com/example/modules//null", false),
            ("terraform-iaac/cert-manager/kubernetes", false),
            ("./null", false),
        ] {
            assert_eq!(is_of_another_provider(source), expected, "{source}");
        }
    }
}
