//! What only shows a policy or a key: samples in the tests of detection rules, and answers of AWS that were recorded.
//!
//! **Invariant:** the only place that decides so by what a file says; by its path, [`crate::test_code`] does. Nothing is granted
//! by a sample, so that it counts as test code.

use crate::source::{FileId, Sources, Span};
use crate::value::Value;

/// What a test case has for the answer that is expected: Panther, CloudFormation Guard, cfn-policy-validator, and rules that
/// are tested alike.
const OUTCOMES: [&str; 9] = [
    "ExpectedResult",
    "expectations",
    "expected",
    "expectedresult",
    "expected_result",
    "expectation",
    "should_match",
    "should_pass",
    "shouldpass",
];

/// What a test case has for what is judged.
const INPUTS: [&str; 11] = [
    "Resource", "Log", "config", "document", "event", "given", "input", "log", "policy", "resource", "sample",
];

/// Longest list of test cases of which every one is looked at.
const MAX_CASES: usize = 500;

/// Whether `value` is a list of test cases: each has a sample, and the answer that is expected.
pub(super) fn is_test_case_list(value: &Value) -> bool {
    let has = |item: &Value, names: &[&str]| {
        names
            .iter()
            .any(|n| item.get(n).is_some() || item.get(&capitalized(n)).is_some())
    };
    let items = value.items();
    !items.is_empty()
        && items.iter().take(MAX_CASES).all(|i| has(i, &OUTCOMES))
        && items.iter().any(|i| has(i, &INPUTS))
}

fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + chars.as_str())
}

/// Whether an object was recorded: what AWS answers when it is asked for one thing, an item of AWS Config, a finding of Security
/// Hub, a resource as a scanner saves it. An export of all that an account has is not one of these, since it is made to be
/// checked; neither is the answer that is the `whole` of a file: people keep policies so. IAM API Reference, `Role`, `Policy`, `PolicyVersion`; AWS Lambda API Reference, `GetPolicy`; AWS Config Developer
/// Guide, "Components of a configuration item"; AWS Security Hub User Guide, "Required top-level ASFF attributes".
pub(super) fn is_recorded(value: &Value, whole: bool) -> bool {
    let has = |key: &str| value.get(key).is_some();
    let any = |keys: &[&str]| keys.iter().any(|k| has(k));
    let names_type = |key: &str| {
        let kind = value.get(key).and_then(Value::as_str);
        kind.is_some_and(|kind| kind.starts_with("AWS.") || kind.starts_with("AWS::"))
    };
    let of_iam = has("CreateDate") && any(&["AttachmentCount", "IsDefaultVersion", "PolicyId", "RoleId", "UserId"]);
    let of_lambda = has("RevisionId") && has("Policy");
    let item = any(&[
        "AccountId",
        "ResourceId",
        "accountId",
        "awsAccountId",
        "configurationItemCaptureTime",
        "configurationItemStatus",
        "resourceId",
        "supplementaryConfiguration",
    ]);
    let of_config = (names_type("resourceType") || names_type("ResourceType")) && item || has("configurationItem");
    let of_security_hub = has("SchemaVersion") && has("ProductArn");
    !whole && (of_iam || of_lambda) || of_config || of_security_hub
}

/// Whether a document with this object around it is a copy of a policy that AWS manages: no one else can change it.
/// IAM User Guide, "AWS managed policies".
pub(super) fn is_copy_of_managed(value: &Value) -> bool {
    let is_theirs = |key: &str| {
        let arn = value.get(key).and_then(Value::as_str);
        arn.is_some_and(|arn| arn.starts_with("arn:aws") && arn.contains(":iam::aws:policy/"))
    };
    let holds = [
        "PolicyDocument",
        "Document",
        "PolicyVersion",
        "PolicyVersionList",
        "DefaultVersion",
        "document",
    ];
    ["Arn", "PolicyArn", "arn", "policy_arn"].iter().any(|k| is_theirs(k))
        && holds.iter().any(|k| value.get(k).is_some())
}

/// Files with samples for rules of Semgrep, which mark in comments what a rule is to find. Semgrep, "Testing rules".
pub(crate) fn for_semgrep(sources: &Sources) -> Vec<Span> {
    let is_marked = |file: &FileId| {
        let text = sources.text(*file);
        memchr::memmem::find_iter(text.as_bytes(), b"ruleid:").any(|at| {
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            let comment = line.trim();
            let rest = text[at + "ruleid:".len()..].trim_start_matches(' ');
            matches!(comment, "#" | "//" | "/*" | "--" | "<!--" | "*")
                && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
    };
    let whole = |file: FileId| Span::new(file, 0, sources.text(file).len());
    let analyzed = sources.ids().filter(|file| sources.is_analyzed(*file));
    analyzed.filter(is_marked).map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::data;
    use crate::source::Text;

    fn value(text: &str) -> Value {
        let span = Span::new(FileId(0), 0, text.len());
        data::embedded(&Text::verbatim(text, FileId(0), 0), span)
            .expect("JSON")
            .0
    }

    #[test]
    fn lists_of_test_cases() {
        for (text, expected) in [
            (r#"[{"Name": "a", "ExpectedResult": false, "Resource": {}}]"#, true),
            (r#"[{"name": "a", "input": {}, "expectations": {}}]"#, true),
            (
                r#"[{"Log": {}, "ExpectedResult": true}, {"ExpectedResult": true, "Mocks": []}]"#,
                true,
            ),
            (r#"[{"policy": {}, "expected": "deny"}]"#, true),
            (r#"[{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]"#, false),
            (r#"[{"policy": {}, "expected": "deny"}, {"policy": {}}]"#, false),
            (r#"[{"expected": 3}]"#, false),
            ("[]", false),
        ] {
            assert_eq!(is_test_case_list(&value(text)), expected, "{text}");
        }
    }

    #[test]
    fn recorded_answers() {
        for (text, expected) in [
            (
                r#"{"RoleName": "a", "RoleId": "AROAEXAMPLE", "CreateDate": "2026-01-01", "AssumeRolePolicyDocument": {}}"#,
                true,
            ),
            (
                r#"{"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2026-01-01", "Document": {}}"#,
                true,
            ),
            (r#"{"Policy": "{}", "RevisionId": "a1"}"#, true),
            (
                r#"{"resourceType": "AWS::IAM::Role", "awsAccountId": "111122223333", "configuration": {}}"#,
                true,
            ),
            (
                r#"{"ResourceType": "AWS.IAM.Policy", "AccountId": "111122223333", "PolicyDocument": "{}"}"#,
                true,
            ),
            (r#"{"SchemaVersion": "2018-10-08", "ProductArn": "arn:aws:x"}"#, true),
            (r#"{"RoleName": "a", "AssumeRolePolicyDocument": {}}"#, false),
            (
                r#"{"RoleDetailList": [{"CreateDate": "x", "RoleId": "y"}], "Policies": []}"#,
                false,
            ),
            (r#"{"Document": {}, "CreateDate": "2026-01-01"}"#, false),
            (r#"{"Policy": "{}", "Bucket": "orders"}"#, false),
        ] {
            assert_eq!(is_recorded(&value(text), false), expected, "{text}");
        }
    }

    #[test]
    fn copies_of_managed_policies() {
        for (text, expected) in [
            (
                r#"{"Arn": "arn:aws:iam::aws:policy/aws-service-role/AmazonXServiceRolePolicy", "PolicyDocument": {}}"#,
                true,
            ),
            (
                r#"{"Arn": "arn:aws:iam::111122223333:policy/x", "PolicyDocument": {}}"#,
                false,
            ),
            (
                r#"{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "PolicyName": "ReadOnlyAccess"}"#,
                false,
            ),
        ] {
            assert_eq!(is_copy_of_managed(&value(text)), expected, "{text}");
        }
    }

    #[test]
    fn samples_for_semgrep() {
        for (text, expected) in [
            ("# ruleid: wildcard-action\nx = 1\n", 1),
            ("  // ruleid:wildcard\n", 1),
            ("ruleid: x\n", 0),
            ("# see the ruleid: x\n", 0),
        ] {
            assert_eq!(
                for_semgrep(&Sources::from_strings(&[("a.tf", text)])).len(),
                expected,
                "{text}"
            );
        }
    }
}
