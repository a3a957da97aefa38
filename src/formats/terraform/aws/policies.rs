//! Types of which only the policy matters. AWS provider documentation, resource by resource.

use super::Type;

const fn is(terraform: &'static str, kind: &'static str, properties: &'static [(&'static str, &'static str)]) -> Type {
    Type {
        terraform,
        kind,
        properties,
    }
}

/// In the order of the types' names.
pub(super) const TYPES: &[Type] = &[
    is("aws_acmpca_policy", "AWS::ACMPCA::Policy", &[]),
    is(
        "aws_cloudsearch_domain_service_access_policy",
        "AWS::CloudSearch::AccessPolicy",
        &[],
    ),
    is(
        "aws_ecr_repository_creation_template",
        "AWS::ECR::RepositoryCreationTemplate",
        &[],
    ),
    is(
        "aws_networkfirewall_resource_policy",
        "AWS::NetworkFirewall::ResourcePolicy",
        &[],
    ),
    is("aws_oam_sink_policy", "AWS::Oam::Sink", &[]),
    is("aws_redshift_resource_policy", "AWS::Redshift::ResourcePolicy", &[]),
    is(
        "aws_redshiftserverless_resource_policy",
        "AWS::RedshiftServerless::Namespace",
        &[("policy", "NamespaceResourcePolicy")],
    ),
    is("aws_rolesanywhere_profile", "AWS::RolesAnywhere::Profile", &[]),
    is(
        "aws_s3tables_table_bucket_policy",
        "AWS::S3Tables::TableBucketPolicy",
        &[],
    ),
    is("aws_s3tables_table_policy", "AWS::S3Tables::TablePolicy", &[]),
    is(
        "aws_sagemaker_model_package_group_policy",
        "AWS::SageMaker::ModelPackageGroup",
        &[("resource_policy", "ModelPackageGroupPolicy")],
    ),
    is("aws_transfer_access", "AWS::Transfer::User", &[]),
    is("aws_vpclattice_auth_policy", "AWS::VpcLattice::AuthPolicy", &[]),
    is("aws_vpclattice_resource_policy", "AWS::VpcLattice::ResourcePolicy", &[]),
    is("aws_xray_resource_policy", "AWS::XRay::ResourcePolicy", &[]),
];

/// Whether the provider demands a policy in this argument of a type: a variable without a value must get one from a caller.
pub(in crate::formats::terraform) fn is_required(terraform: &str, argument: &str) -> bool {
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
