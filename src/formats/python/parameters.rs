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
