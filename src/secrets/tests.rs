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

fn kinds(text: &str) -> Vec<Kind> {
    scan(text).iter().map(|s| s.kind).collect()
}

#[test]
fn key_ids_are_words_of_their_own() {
    let id = id();
    for (text, found) in [
        (format!("key = \"{id}\""), true),
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
        "aws_secret_access_key = \"<your secret>\"",
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
        "\"SecretAccessKey\": \"",
        "secretAccessKey: '",
        "os.environ[\"AWS_SECRET_ACCESS_KEY\"] = \"",
        "secret_key: str = \"",
        "variable \"aws_secret_key\" {\n  type = string\n  default = \"",
        "- Name: AWS_SECRET_ACCESS_KEY\n  Value: ",
        "{\"Name\":\"AWS_SECRET_ACCESS_KEY\",\"Type\":\"PLAINTEXT\",\"Value\":\"",
        "<SecretAccessKey>",
        "ENV AWS_SECRET_ACCESS_KEY ",
        "conn.set('aws_secret_access_key', '",
        "const awsSecretKey := `",
        "export AWS_SECRET_ACCESS_KEY=\\\"",
    ] {
        let text = format!("{before}{secret}\"");
        let hits = scan(&text);
        assert_eq!(hits.len(), 1, "{text}");
        assert_eq!(&text[hits[0].range.clone()], secret, "{text}");
    }
    for text in [
        format!("client_id = \"{secret}\""),
        format!("aws_secret_access_key = var.x # {secret}"),
        format!("secret_key = \"{secret}abc\""),
    ] {
        assert_eq!(kinds(&text), [], "{text}");
    }
}

#[test]
fn what_belongs_together_is_one_credential() {
    let (id, secret, token, session) = (id(), secret(), token(), session_id());
    let text = format!("{id}\n{secret}\n\n[other]\nkey={session}\nsecret_key={secret}\naws_session_token = {token}\n");
    let found = credentials(&text, scan(&text));
    assert_eq!(found.len(), 2);
    assert!(found[0].is_pair() && found[0].first().kind == Kind::AccessKeyId);
    assert!(found[1].is_pair() && found[1].has(Kind::SessionToken));
    let far = format!("{id}{}{secret}", "\n".repeat(40));
    assert_eq!(credentials(&far, scan(&far)).len(), 1);
    let csv = format!("User,Access key ID,Secret access key\nbob,{id},{secret}\n");
    assert!(credentials(&csv, scan(&csv))[0].is_pair());
    let before = format!("secret_key = \"{secret}\"\naccess_key = \"{id}\"\n");
    assert!(credentials(&before, scan(&before))[0].is_pair());
}

#[test]
fn other_keys() {
    let letters = "kr8vt2mzq1xw5lpn9sdfg7hj3b";
    let body = secret().replace(['/', '+'], "");
    for (text, kind) in [
        (
            format!("x-api-key: {}{letters}", ["da", "2-"].concat()),
            Kind::AppSyncApiKey,
        ),
        (
            format!("{}4ea38b7b-f563-7709-4bae-87aea15c1d2f", ["amzn", ".mws."].concat()),
            Kind::MwsToken,
        ),
        (
            format!("{}{}", ["AB", "SK"].concat(), body.repeat(3) + "abc"),
            Kind::BedrockApiKey,
        ),
        (
            format!(
                "-----BEGIN RSA {}-----\n{}\n-----END RSA",
                ["PRIVATE", " KEY"].concat(),
                body.repeat(4)
            ),
            Kind::PrivateKey,
        ),
        (format!("aws_session_token = {}", token()), Kind::SessionToken),
        (format!("&X-Amz-Security-Token={}&", token()), Kind::SessionToken),
    ] {
        assert_eq!(kinds(&text), [kind], "{text}");
    }
    assert_eq!(kinds(&format!("{}{}", ["da", "2-"].concat(), "a".repeat(26))), []);
    assert_eq!(kinds("-----BEGIN PUBLIC KEY-----"), []);
}

#[test]
fn names_of_slots() {
    for (name, slot) in [
        ("AWS_ACCESS_KEY_ID", Some(Slot::AccessKeyId)),
        ("aws_secret_access_key", Some(Slot::SecretAccessKey)),
        ("AWS_SESSION_TOKEN", Some(Slot::SessionToken)),
        ("awsSecretKey", Some(Slot::SecretAccessKey)),
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
