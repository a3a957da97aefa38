use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// Key-shaped strings are put together here, so that no file holds one.
fn id() -> String {
    ["AKIA", "4QZ7W2", "MXK5T3", "HVBN"].concat()
}

fn session_id() -> String {
    ["ASIA", "4QZ7W2", "MXK5T3", "HVBN"].concat()
}

fn secret() -> String {
    ["kR8vT2mZq1", "Xw5LpN+9sD", "fG7hJ3bVc0", "YtU/4eAoQi"].concat()
}

fn token() -> String {
    let body = ["kR8vT2mZq1", "Xw5LpN+9sD", "fG7hJ3bVc0", "YtU/4eAoQi"].concat();
    format!("IQoJb3JpZ2lu{body}{body}{body}==")
}

fn kinds(text: &str) -> Vec<SecretKind> {
    scan(text).iter().map(|s| s.kind).collect()
}

#[test]
fn key_ids_are_words_of_their_own() {
    let id = id();
    for (text, found) in [
        (format!(r#"key = "{id}""#), true),
        (id.clone(), true),
        (format!("https://{id}:x@host"), true),
        (format!("X-Amz-Credential={id}/20240101/us-east-1/s3"), true),
        (format!("a%3D{id}"), true),
        (format!("echo\\n{id}\\n"), true),
        (format!("x{id}"), false),
        (format!("{id}7"), false),
        (format!("_{id}"), false),
        (format!("{}/{id}", "abcdefghij0123456789xy"), false),
        (format!("{id}/{}", "abcdefghij0123456789abcdefgh"), false),
        (id.to_lowercase(), false),
        (id.replace('7', "8"), false),
        (format!("{}{}", "AROA", &id[4..]), false),
    ] {
        let hits = scan(&text);
        assert_eq!(!hits.is_empty(), found, "{text}");
        if found {
            assert_eq!(&text[hits[0].range.clone()], id, "{text}");
        }
    }
}

#[test]
fn placeholders_are_silent_and_examples_are_known() {
    for text in [
        "AKIAXXXXXXXXXXXXXXXX",
        "AKIAAAAAAAAAAAAAAAAA",
        "AKIAABCDEFGHIJKLMNOP",
        "AKIATESTTESTTESTTEST",
        "AKIAYOURACCESSKEYIDX",
        "aws_secret_access_key = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "aws_secret_access_key = ${var.secret}",
        r#"aws_secret_access_key = "<your secret>""#,
        "aws_secret_access_key = da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "aws_secret_access_key = arn:aws:secretsmanager:us-east-1:123456789012:secret:abc",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
    let example = scan("AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY AKIAI44QH8DHBEXAMPLE");
    assert_eq!(example.len(), 3);
    assert!(
        example
            .iter()
            .all(|s| s.quality == Quality::Example && s.account.is_none())
    );
}

#[test]
fn secrets_are_known_by_their_names() {
    let secret = secret();
    for before in [
        "aws_secret_access_key = ",
        "AWS_SECRET_ACCESS_KEY=",
        "export AWS_SECRET_ACCESS_KEY='",
        r#""SecretAccessKey": ""#,
        "secretAccessKey: '",
        r#"os.environ["AWS_SECRET_ACCESS_KEY"] = ""#,
        r#"variable "aws_secret_key" {
  type = string
  default = ""#,
        "- Name: AWS_SECRET_ACCESS_KEY\n  Value: ",
        r#"{"Name":"AWS_SECRET_ACCESS_KEY","Type":"PLAINTEXT","Value":""#,
        "<SecretAccessKey>",
        "ENV AWS_SECRET_ACCESS_KEY ",
        "conn.set('aws_secret_access_key', '",
        "const awsSecretKey := `",
        r#"export AWS_SECRET_ACCESS_KEY=\""#,
    ] {
        let text = format!(r#"{before}{secret}""#);
        let hits = scan(&text);
        assert_eq!(hits.len(), 1, "{text}");
        assert_eq!(&text[hits[0].range.clone()], secret, "{text}");
    }
    for text in [
        format!(r#"client_id = "{secret}""#),
        format!("aws_secret_access_key = var.x # {secret}"),
        format!(r#"secret_key = "{secret}abc""#),
    ] {
        assert_eq!(kinds(&text), [], "{text}");
    }
}

#[test]
fn names_that_others_use_too_need_aws_near() {
    let (id, secret) = (id(), secret());
    let token = token().replace("IQoJb3JpZ2lu", "ab3");
    for (text, found) in [
        (format!(r#"secret_key: str = "{secret}""#), false),
        (
            format!(
                r#"region = "eu-west-1" # aws
secret_key = "{secret}""#
            ),
            true,
        ),
        (format!("AWS_REGION=eu-west-1\nSECRET_KEY={secret}"), false),
        (
            format!(
                r"SECRET_KEY={secret}
AWS_ACCESS_KEY_ID={id}"
            ),
            true,
        ),
        (format!("ACCESS_TOKEN_SECRET={secret}"), false),
        (format!("JWT_SECRET_KEY={secret}\n# aws"), false),
        (format!("S3_SECRET={secret}"), true),
        (format!("spark.hadoop.fs.s3a.secret.key {secret}"), true),
        (format!("Secret access key: {secret}"), true),
        (format!("<key>AWSSecretKey</key><string>{secret}</string>"), true),
        (format!(r#"<add key="AWSSecretKey" value="{secret}"/>"#), true),
        (format!(r#"const sessionToken = "{token}""#), false),
        (format!("aws_session_token = {token}"), true),
        (
            format!(
                r"key = AKIAIOSFODNN7EXAMPLE
signature = {secret}
x = {secret}"
            ),
            false,
        ),
    ] {
        let real = scan(&text)
            .iter()
            .any(|s| s.quality == Quality::Real && s.kind != SecretKind::AccessKeyId);
        assert_eq!(real, found, "{text}");
    }
}

#[test]
fn escapes_and_encodings_hide_nothing() {
    let (id, secret) = (id(), secret());
    let slashes = |with: &str| secret.replace('/', with).replace('+', "7");
    let base64 = |text: &str| STANDARD.encode(text);
    for text in [
        format!(r#"{{"AccessKeyId":"{id}","SecretAccessKey":"{}"}}"#, slashes("\\/")),
        format!(r#""{{\"AWS_SECRET_ACCESS_KEY\":\"{}\"}}""#, slashes("\\\\/")),
        format!(r#"{{"SecretAccessKey":"{}"}}"#, slashes("\\u002f")),
        format!("aws_secret_access_key={}", slashes("%2F")),
        format!("<SecretAccessKey>{}</SecretAccessKey>", slashes("&#x2F;")),
        format!("s3n://{id}:{}@bucket/key", slashes("/")),
        format!("broker_url = sqs://{id}:{}@", slashes("%2F")),
        format!("arn:aws:s3:::orders/{id}/{}", slashes("/")),
        format!(
            r"data:
  AWS_ACCESS_KEY_ID: {}
  AWS_SECRET_ACCESS_KEY: {}",
            base64(&id),
            base64(&secret)
        ),
        format!(
            "user_data: {}",
            base64(&format!(
                r"#!/bin/sh
export AWS_SECRET_ACCESS_KEY={secret}
"
            ))
        ),
        format!(
            "config: {}",
            base64(&format!(
                r"[default]
aws_access_key_id={id}
aws_secret_access_key={secret}
"
            ))
        ),
        format!(
            "user_data: {}",
            base64(&format!(
                "#!/bin/sh\necho {} | base64 -d > k\n",
                base64(&format!("#!/bin/sh\nAWS_SECRET_ACCESS_KEY={secret}"))
            ))
        ),
    ] {
        let found = scan(&text);
        assert!(
            found.iter().any(|s| s.kind == SecretKind::SecretAccessKey),
            "{text}: {found:?}"
        );
        assert!(found.iter().all(|s| text.get(s.range.clone()).is_some()), "{text}");
    }
    for text in [
        format!("data:\n  AWS_SECRET_ACCESS_KEY: {}", base64("${SECRET_KEY}")),
        format!(
            "data:\n  GREETING: {}",
            base64("good morning to all of the orders team")
        ),
        format!("image: {}", base64("#!/bin/sh\necho nothing to see here\n")),
    ] {
        assert_eq!(kinds(&text), [], "{text}");
    }
}

#[test]
fn what_belongs_together_is_one_credential() {
    let (id, secret, token, session) = (id(), secret(), token(), session_id());
    let text = format!(
        r"{id}
{secret}

[other]
key={session}
secret_key={secret}
aws_session_token = {token}
"
    );
    let found = credentials(&text, scan(&text));
    assert_eq!(found.len(), 2);
    assert!(found[0].is_pair() && found[0].first().kind == SecretKind::AccessKeyId);
    assert!(found[1].is_pair() && found[1].has(SecretKind::SessionToken));
    let far = format!("{id}{}{secret}", "\n".repeat(40));
    assert_eq!(credentials(&far, scan(&far)).len(), 1);
    let csv = format!(
        r"User,Access key ID,Secret access key
bob,{id},{secret}
"
    );
    assert!(credentials(&csv, scan(&csv))[0].is_pair());
    let before = format!(
        r#"secret_key = "{secret}"
access_key = "{id}"
"#
    );
    assert!(credentials(&before, scan(&before))[0].is_pair());
}

#[test]
fn other_keys() {
    let letters = "kr8vt2mzq1xw5lpn9sdfg7hj3b";
    let body = secret().replace(['/', '+'], "");
    for (text, kind) in [
        (
            format!("x-api-key: {}{letters}", ["da", "2-"].concat()),
            SecretKind::AppSyncApiKey,
        ),
        (
            format!("{}4ea38b7b-f563-7709-4bae-87aea15c1d2f", ["amzn", ".mws."].concat()),
            SecretKind::MwsToken,
        ),
        (
            format!("{}{}", ["AB", "SK"].concat(), body.repeat(3) + "abc"),
            SecretKind::BedrockApiKey,
        ),
        (
            format!(
                r"-----BEGIN RSA {}-----
{}
-----END RSA",
                ["PRIVATE", " KEY"].concat(),
                body.repeat(4)
            ),
            SecretKind::PrivateKey,
        ),
        (putty("none", &body.repeat(2)), SecretKind::PrivateKey),
        (format!("aws_session_token = {}", token()), SecretKind::SessionToken),
        (format!("&X-Amz-Security-Token={}&", token()), SecretKind::SessionToken),
    ] {
        assert_eq!(kinds(&text), [kind], "{text}");
    }
    assert_eq!(kinds(&format!("{}{}", ["da", "2-"].concat(), "a".repeat(26))), []);
    assert_eq!(kinds("-----BEGIN PUBLIC KEY-----"), []);
    let encrypted = format!(
        r"-----BEGIN RSA {}-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,0A

{}
-----END RSA",
        ["PRIVATE", " KEY"].concat(),
        body.repeat(4)
    );
    assert_eq!(kinds(&encrypted), []);
    assert_eq!(kinds(&putty("aes256-cbc", &body.repeat(2))), []);
    assert_eq!(
        kinds(&format!("PuTTY{}2: ssh-rsa\nEncryption: none\n", "-User-Key-File-")),
        []
    );
}

fn putty(encryption: &str, body: &str) -> String {
    format!(
        "PuTTY{}3: ssh-ed25519\r\nEncryption: {encryption}\r\nComment: c\r\nPublic-Lines: 1\r\nAAAAC3Nz\r\nPrivate-Lines: 1\r\n{body}\r\nPrivate-MAC: {}\r\n",
        "-User-Key-File-",
        "a".repeat(64)
    )
}

#[test]
fn the_name_of_a_key_in_an_arn_is_no_access_key() {
    let id = id();
    for text in [
        format!("arn:aws:kms:us-west-2:123456789012:key/{id}"),
        format!("https://example.com/?key=arn%3Aaws%3Akms%3Aus-west-2%3A123456789012%3Akey/{id}"),
        format!("// arn:aws:s3:::bucket/{id}/x"),
    ] {
        assert_eq!(kinds(&text), [], "{text}");
    }
    for text in [
        format!("arn:aws:iam::123456789012:user/u {id}"),
        format!("arn:aws:iam::123456789012:user/u,{id}"),
        format!(r#""arn:aws:iam::123456789012:user/u":"{id}""#),
    ] {
        assert_eq!(kinds(&text), [SecretKind::AccessKeyId], "{text}");
    }
}

#[test]
fn names_of_slots() {
    for (name, slot) in [
        ("AWS_ACCESS_KEY_ID", Some(NamedSecret::AccessKeyId)),
        ("aws_secret_access_key", Some(NamedSecret::SecretAccessKey)),
        ("AWS_SESSION_TOKEN", Some(NamedSecret::SessionToken)),
        ("awsSecretKey", Some(NamedSecret::SecretAccessKey)),
        ("AWS_SECRET_ARN", None),
        ("AWS_SECRET_NAME", None),
        ("AWS_REGION", None),
        ("SECRET_KEY", None),
    ] {
        assert_eq!(slot_of(name), slot, "{name}");
    }
}

#[test]
fn any_bytes_are_read() {
    let (id, secret) = (id(), secret());
    let text = format!("é{id}\u{0}{id}é \"{secret}\"\u{feff}aws_secret_access_key=");
    let _ = credentials(&text, scan(&text));
    let many = "aws_secret_access_key=\n".repeat(5000) + &format!("{id} ").repeat(5000);
    assert!(scan(&many).len() >= 5000);
}
