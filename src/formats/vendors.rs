//! Policies of other vendors, which are written like those of AWS and mean nothing to AWS.

use crate::iam::catalogue::catalogue;
use crate::value::{Value, ValueKind};

/// How many strings of a document are looked at.
const MAX_STRINGS: usize = 400;

/// What resource names and principals of other vendors begin with: Alibaba Cloud, Tencent Cloud, Volcengine, Kingsoft Cloud,
/// JD Cloud, IBM Cloud, Naver Cloud, Outscale, OVHcloud, Scaleway.
const RESOURCES: [&str; 11] = [
    "acs:", "qcs::", "trn:", "krn:", "jrn:", "crn:v", "nrn:", "orn:", "urn:v1:", "srn:", "hrn:",
];

/// What resource names of systems begin with that keep the version of AWS's policy language: NetApp StorageGRID, Dell ECS,
/// MinIO.
const KEEPING_VERSION: [&str; 3] = ["urn:sgws:", "urn:ecs:", "arn:minio:"];

/// Where services and identity providers of other vendors are.
const DOMAINS: [&str; 6] = [
    ".aliyuncs.com",
    ".qcloud.com",
    ".tencentcs.com",
    ".tencentcloudapi.com",
    ".volcengine.com",
    ".myhuaweicloud.com",
];

/// Types of principals that AWS does not have.
const PRINCIPALS: [&str; 4] = ["qcs", "RAM", "SCW", "TRN"];

/// Versions of other policy languages: Alibaba Cloud, Tencent Cloud, Huawei Cloud (two), Scaleway, JD Cloud.
const VERSIONS: [&str; 6] = ["1", "2.0", "1.1", "5.0", "2023-04-17", "3"];

/// Terraform providers of vendors with policies of their own, and of object stores that only speak the protocol of S3.
const PROVIDERS: [&str; 23] = [
    "alicloud",
    "baiducloud",
    "byteplus",
    "digitalocean",
    "exoscale",
    "flexibleengine",
    "google",
    "huaweicloud",
    "ibm",
    "jdcloud",
    "ksyun",
    "linode",
    "minio",
    "ncloud",
    "oci",
    "opentelekomcloud",
    "outscale",
    "ovh",
    "scaleway",
    "tencentcloud",
    "volcengine",
    "wasabi",
    "yandex",
];

/// Whether a Terraform type (`alicloud_ram_role`) belongs to one of them.
pub(super) fn is_vendor_type(terraform: &str) -> bool {
    let bare = terraform.strip_prefix("data.").unwrap_or(terraform);
    bare.split_once('_')
        .is_some_and(|(provider, _)| PROVIDERS.contains(&provider))
}

/// Whether a document or a statement is written for another vendor. What has a version of AWS's policy language, or names
/// anything of AWS, is AWS's, whatever else is in it.
pub(super) fn is_for_vendor(value: &Value) -> bool {
    let value = value.decoded();
    let get = |keys: [&str; 2]| keys.iter().find_map(|k| value.get(k));
    let version = get(["Version", "version"]).and_then(|v| match &v.kind {
        ValueKind::Num(n) => Some(n.to_string()),
        _ => v.as_str().map(|v| v.into_owned()),
    });
    let version = version.as_deref();
    if matches!(version, Some("2012-10-17" | "2008-10-17")) {
        return is_for_other_system(value);
    }
    let mut found = VendorEvidence::default();
    let statement = get(["Statement", "statement"]).unwrap_or(value);
    found.visit(statement, "", 0);
    let versioned = version.is_some_and(|v| VERSIONS.contains(&v));
    !found.aws && (found.theirs || versioned && !found.actions) || is_for_other_system(value)
}

/// Whether all documents in a value are for a system that only borrows the language: none of their actions has a service
/// prefix of AWS, and all their ARNs have one partition that AWS does not have and that is no slip in one of its own
/// (`arn:hca:…`), or they name administration of MinIO. One action or ARN of AWS makes them AWS's.
pub(super) fn is_for_other_system(value: &Value) -> bool {
    let mut found = ActionAndArnNames::default();
    found.visit(value, false, 0);
    let foreign = found.partition.is_some() && !found.actions_of_aws;
    !found.of_aws && !found.exceeded && (found.system || foreign && found.actions)
}

/// What the actions and ARNs of documents are.
#[derive(Default)]
struct ActionAndArnNames {
    /// An ARN in a partition of AWS, or in more than one of others.
    of_aws: bool,
    /// The one foreign partition.
    partition: Option<String>,
    actions: bool,
    actions_of_aws: bool,
    /// A name that only another system has.
    system: bool,
    seen: usize,
    /// There is more than was looked at.
    exceeded: bool,
}

impl ActionAndArnNames {
    fn visit(&mut self, value: &Value, action: bool, depth: usize) {
        if self.seen > MAX_STRINGS * 4 || depth > 16 {
            self.exceeded = true;
        }
        if self.exceeded || self.of_aws {
            return;
        }
        match &value.decoded().kind {
            ValueKind::Seq(items) => items.iter().for_each(|v| self.visit(v, action, depth + 1)),
            ValueKind::OneOf(branches) => branches.iter().for_each(|b| self.visit(&b.value, action, depth + 1)),
            ValueKind::Map(entries) => {
                for e in entries.iter() {
                    let name = e.key.with_placeholders();
                    let action = name.eq_ignore_ascii_case("action") || name.eq_ignore_ascii_case("notaction");
                    self.visit(&e.value, action, depth + 1);
                }
            }
            ValueKind::Str(text) => {
                self.seen += 1;
                let text = text.with_placeholders();
                match action {
                    true => self.action(&text),
                    false => self.name(&text),
                }
            }
            ValueKind::Unknown(_) => self.exceeded |= action,
            ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) | ValueKind::Json(_) => {}
        }
    }

    fn action(&mut self, text: &str) {
        let service = text.split_once(':').map(|(service, _)| service);
        let literal = service.filter(|s| s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        self.actions = true;
        self.actions_of_aws |= literal.is_none_or(|s| catalogue().service(s).is_some());
        // MinIO, "Access Management": actions that begin with `admin:`.
        self.system |= service == Some("admin");
    }

    fn name(&mut self, text: &str) {
        if KEEPING_VERSION.iter().any(|r| text.starts_with(r)) {
            self.system = true;
        } else if let Some((partition, _)) = text.strip_prefix("arn:").and_then(|rest| rest.split_once(':')) {
            // MinIO and Ceph write buckets as AWS does.
            let bucket = text.starts_with("arn:aws:s3:::");
            let literal = partition.len() > 1 && partition.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            let near = catalogue().is_partition(partition)
                || crate::edit_distance::nearest_within(
                    partition,
                    1,
                    [("aws", ()), ("aws-cn", ()), ("aws-us-gov", ())],
                )
                .is_some()
                || partition.starts_with("aws");
            match &self.partition {
                _ if bucket => {}
                _ if !literal || near => self.of_aws = true,
                Some(known) => self.of_aws |= known != partition,
                None => self.partition = Some(partition.to_owned()),
            }
            self.actions_of_aws |= bucket && self.partition.is_some();
        } else if text.contains(".amazonaws.com") {
            self.of_aws = true;
        }
    }
}

/// What the strings of a document say about whose it is.
#[derive(Default)]
struct VendorEvidence {
    /// Names something of AWS.
    aws: bool,
    /// Has an action that AWS has too.
    actions: bool,
    theirs: bool,
    seen: usize,
}

impl VendorEvidence {
    fn visit(&mut self, value: &Value, key: &str, depth: usize) {
        if self.seen > MAX_STRINGS || depth > 8 || self.aws {
            return;
        }
        match &value.kind {
            ValueKind::Seq(items) => items.iter().for_each(|v| self.visit(v, key, depth + 1)),
            ValueKind::OneOf(branches) => branches.iter().for_each(|b| self.visit(&b.value, key, depth + 1)),
            ValueKind::Map(entries) => {
                for e in entries.iter() {
                    let Some(name) = e.key.known() else { continue };
                    let principal = key.eq_ignore_ascii_case("principal");
                    self.aws |= principal && name == "AWS" || name.starts_with("aws:");
                    self.theirs |= principal && PRINCIPALS.contains(&&*name);
                    self.visit(&e.value, &name, depth + 1);
                }
            }
            ValueKind::Str(text) => {
                self.seen += 1;
                let text = text.with_placeholders();
                self.aws |= text.starts_with("arn:") || text.contains(".amazonaws.com") || text.contains("${aws:");
                self.theirs |=
                    RESOURCES.iter().any(|r| text.starts_with(r)) || DOMAINS.iter().any(|d| text.ends_with(d));
                if key.eq_ignore_ascii_case("action") || key.eq_ignore_ascii_case("notaction") {
                    // `sts:AssumeRole` is the same for several vendors; Huawei's actions have three parts.
                    self.actions |= text != "sts:AssumeRole" && is_action(&text);
                    self.theirs |= text.split(':').filter(|p| !p.is_empty()).count() == 3;
                }
            }
            _ => {}
        }
    }
}

/// Whether AWS has this action, or the service that all actions of are meant.
fn is_action(text: &str) -> bool {
    match text.split_once(':') {
        Some((service, name)) if name.contains('*') => {
            let prefix = &name[..name.find('*').unwrap_or(0)];
            let named = |a: &str| {
                a.len() >= prefix.len() && a.as_bytes()[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
            };
            let Some(service) = catalogue().service(service) else {
                return false;
            };
            !prefix.is_empty() && service.actions().any(|a| named(a.short_name()))
        }
        Some(_) => catalogue().action(text).is_some(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::data;
    use crate::source::{FileId, Span, Text};

    #[test]
    fn whose_a_document_is() {
        let cases = [
            (
                r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
                true,
            ),
            (
                r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ecs:DescribeInstances", "Resource": "*"}]}"#,
                true,
            ),
            (
                r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["ecs.aliyuncs.com"]}}]}"#,
                true,
            ),
            (
                r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": ["acs:ram::123:root"]}}]}"#,
                true,
            ),
            (
                r#"{"version": "2.0", "statement": [{"effect": "allow", "action": "*", "resource": ["*"]}]}"#,
                true,
            ),
            (
                r#"{"Statement": [{"Effect": "Allow", "Action": ["tos:GetObject"], "Resource": ["trn:tos:::orders/*"]}]}"#,
                true,
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["obs:object:GetObject"]}]}"#,
                true,
            ),
            (
                r#"{"Version": "2023-04-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Principal": {"SCW": "user_id:1"}, "Resource": "orders"}]}"#,
                true,
            ),
            (
                r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#,
                false,
            ),
            (
                r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}"#,
                false,
            ),
            (
                r#"{"Version": "1.0", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
                false,
            ),
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "oss:GetObject", "Resource": "acs:oss:*:*:x"}]}"#,
                false,
            ),
            (
                r#"{"Statement": [{"Effect": "Allow", "Action": "oss:GetObject", "Resource": "*"}]}"#,
                false,
            ),
            // A system with a partition and services of its own.
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["shop:GetOrder"], "Resource": "arn:shop:orders:${stage}:*:order/*"}]}"#,
                true,
            ),
            (
                r#"{"Statement": {"Effect": "Allow", "Action": "metrics:List*", "Resource": ["arn:zenith:metrics:::a/*", "arn:zenith:metrics:::b"]}}"#,
                true,
            ),
            // Only the partition, or only the service, is amiss.
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:shop:s3:::orders/*"}]}"#,
                false,
            ),
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s4:GetObject", "Resource": "arn:asw:s4:::orders/*"}]}"#,
                false,
            ),
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "shop:GetOrder", "Resource": "*"}]}"#,
                false,
            ),
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["shop:GetOrder", "s3:GetObject"], "Resource": "arn:shop:orders:::x"}]}"#,
                false,
            ),
            // MinIO and StorageGRID.
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["admin:*"]}, {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}]}"#,
                true,
            ),
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "urn:sgws:s3:::orders/*"}]}"#,
                true,
            ),
            (
                r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "admin:*", "Resource": "arn:aws:sqs:eu-west-1:111122223333:x"}]}"#,
                false,
            ),
            (
                r#"{"Statement": [{"Effect": "Allow", "Action": "x:y", "Resource": ["acs:oss:*:*:x", "arn:aws:s3:::x"]}]}"#,
                false,
            ),
        ];
        for (text, expected) in cases {
            let span = Span::new(FileId(0), 0, text.len());
            let (value, _) = data::embedded(&Text::verbatim(text, FileId(0), 0), span).expect("JSON");
            assert_eq!(is_for_vendor(&value), expected, "{text}");
        }
        for (name, expected) in [
            ("alicloud_ram_role", true),
            ("data.tencentcloud_cam_policies", true),
            ("minio_iam_policy", true),
            ("aws_iam_policy", false),
            ("vault_aws_secret_backend_role", false),
            ("kubernetes_config_map", false),
            ("policy", false),
        ] {
            assert_eq!(is_vendor_type(name), expected, "{name}");
        }
    }
}
