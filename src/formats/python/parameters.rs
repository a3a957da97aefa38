//! The names of positional parameters.

/// Names of positional parameters, for the few methods that take any.
pub(super) fn positional(method: &str) -> &'static [&'static str] {
    match method {
        "upload_file" => &["Filename", "Bucket", "Key", "ExtraArgs"],
        "upload_fileobj" => &["Fileobj", "Bucket", "Key", "ExtraArgs"],
        "generate_presigned_url" => &["ClientMethod", "Params", "ExpiresIn", "HttpMethod"],
        "generate_presigned_post" => &["Bucket", "Key", "Fields", "Conditions", "ExpiresIn"],
        "Bucket.upload_file" => &["Filename", "Key", "ExtraArgs"],
        "Object.upload_file" => &["Filename", "ExtraArgs"],
        _ => &[],
    }
}

/// Classes and functions that get a key pair, with the names of their positional parameters. A keyword argument is renamed as
/// boto3 calls it (`access_key`, `key`). References: botocore, requests-aws4auth, aws-requests-auth, requests-auth-aws-sigv4,
/// s3fs, boto.
const KEY_HOLDERS: &[(&str, &[&str])] = &[
    (
        "botocore.credentials.Credentials",
        &["access_key", "secret_key", "token"],
    ),
    (
        "botocore.credentials.ReadOnlyCredentials",
        &["access_key", "secret_key", "token"],
    ),
    (
        "requests_aws4auth.AWS4Auth",
        &["access_key", "secret_key", "region_name", "service_name", "date"],
    ),
    (
        "requests_aws4auth.aws4auth.AWS4Auth",
        &["access_key", "secret_key", "region_name", "service_name", "date"],
    ),
    (
        "aws_requests_auth.aws_auth.AWSRequestsAuth",
        &[
            "aws_access_key",
            "aws_secret_access_key",
            "aws_host",
            "aws_region",
            "aws_service",
            "aws_token",
        ],
    ),
    ("requests_auth_aws_sigv4.AWSSigV4", &["service_name"]),
    ("s3fs.S3FileSystem", &["anon", "endpoint_url", "key", "secret", "token"]),
    ("boto.connect_s3", &["aws_access_key_id", "aws_secret_access_key"]),
    (
        "boto.s3.connection.S3Connection",
        &["aws_access_key_id", "aws_secret_access_key"],
    ),
    ("boto.connect_ec2", &["aws_access_key_id", "aws_secret_access_key"]),
    ("boto.connect_sqs", &["aws_access_key_id", "aws_secret_access_key"]),
];

/// The positional parameters of what gets a key pair and is no client.
pub(super) fn key_holder(callee: &str) -> Option<&'static [&'static str]> {
    KEY_HOLDERS
        .iter()
        .find(|(name, _)| *name == callee)
        .map(|(_, names)| *names)
}

/// Names of the constructor's positional parameters (boto3 reference, "Session").
pub(super) fn constructor_positional(callee: &str) -> &'static [&'static str] {
    if callee.ends_with("client") || callee.ends_with("resource") {
        &[
            "service_name",
            "region_name",
            "api_version",
            "use_ssl",
            "verify",
            "endpoint_url",
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
            "config",
        ]
    } else {
        &[
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_session_token",
            "region_name",
            "botocore_session",
            "profile_name",
        ]
    }
}
