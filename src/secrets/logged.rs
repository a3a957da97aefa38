//! Key IDs in records of what was done: such a record names a key, and nothing authenticates with it.

/// How far around an ID its record is looked for, in bytes.
const AROUND: usize = 4096;

/// Names for the ID of a key in a record: CloudTrail and GuardDuty write `accessKeyId`, the Security Lake schema `credential_uid`,
/// Amazon EKS `accessKeyId` in the extra fields of a user.
const NAMES: [&str; 6] = [
    "accesskeyid",
    "access_key_id",
    "accesskey",
    "credential_uid",
    "principalid",
    "userid",
];

/// Fields of records that nothing else has: AWS CloudTrail User Guide, "CloudTrail record contents"; Amazon GuardDuty API
/// Reference, `AccessKeyDetails`; Amazon EKS User Guide, "Send control plane logs"; Open Cybersecurity Schema Framework.
const FIELDS: [&str; 13] = [
    "accessKeyDetails",
    "AccessKeyDetails",
    "additionalEventData",
    "audit.k8s.io",
    "eventName",
    "eventSource",
    "eventTime",
    "metadata.product",
    "recipientAccountId",
    "responseElements",
    "sessionContext",
    "sourceIPAddress",
    "userIdentity",
];

/// Fields that must be near.
const ENOUGH: usize = 2;

/// Whether the ID at `at` is a field of a record: its name says so, and other fields of a record are near.
pub fn is_logged(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let name = line.trim_end_matches(['"', '\'', ' ', ':', '[', '\\', '=']);
    let name = name.to_ascii_lowercase();
    if !NAMES.iter().any(|n| name.ends_with(n)) || name.ends_with("aws_access_key_id") {
        return false;
    }
    let near = line_around(text, at);
    FIELDS.iter().filter(|field| near.contains(**field)).count() >= ENOUGH
}

/// Whether the text around `at` names accounts, and `account` is not among them: then an ID from which that account follows
/// was made up.
pub fn contradicts(text: &str, at: usize, account: &str) -> bool {
    let text = line_around(text, at);
    let mut named = false;
    for (at, id) in account_ids(text) {
        if id == account {
            return false;
        }
        let before = text.get(..at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default().to_ascii_lowercase();
        // `arn:aws:iam::123456789012:`, `accountId: "123456789012"`.
        named |= line.ends_with(':') && line.contains("arn:aws") || line.contains("account");
    }
    named
}

/// Rows of exactly twelve digits, with their places.
fn account_ids(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            if !bytes[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            let alone = !start.checked_sub(1).is_some_and(|i| is_word_byte(bytes[i]))
                && !bytes.get(at).copied().is_some_and(is_word_byte);
            if at - start == 12 && alone {
                return text.get(start..at).map(|id| (start, id));
            }
        }
        None
    })
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn line_around(text: &str, at: usize) -> &str {
    let mut from = at.saturating_sub(AROUND);
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    let mut to = (at + AROUND).min(text.len());
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    &text[from..to]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_records() {
        let event = r"eventSource: iam.amazonaws.com
userIdentity:
  type: Root
  accessKeyId: ID
";
        let json = r#"{"eventName": "GetObject", "userIdentity": {"accessKeyId": "ID"}}"#;
        let finding = r#"{"Resource": {"AccessKeyDetails": {"AccessKeyid": "ID"}}, "Service": {"eventTime": 1}}"#;
        let profile = r"[default]
aws_access_key_id = ID
# eventName, eventSource
";
        let used = r"eventName = 'x'; eventSource = 'y'
connect('ID')
";
        let config = "accessKeyId: ID\nsecretAccessKey: x\n";
        for (text, expected) in [
            (event, true),
            (json, true),
            (finding, true),
            (used, false),
            (config, false),
        ] {
            assert_eq!(is_logged(text, text.find("ID").unwrap_or(0)), expected, "{text}");
        }
        assert!(!is_logged(profile, profile.find("ID").unwrap_or(0)));
    }

    #[test]
    fn accounts_that_a_text_names() {
        for (text, expected) in [
            (r#"accountId: "444455556666""#, true),
            ("Resource: arn:aws:iam::444455556666:role/x", true),
            ("accounts 444455556666 and 111122223333", false),
            ("order 444455556666", false),
            ("account 4444555566667", false),
            ("", false),
        ] {
            assert_eq!(contradicts(text, 0, "111122223333"), expected, "{text}");
        }
    }
}
