//! Random pairs of policies, and requests for what they are about.

use overgrant::internals::access::{AccessRequest, Caller, ContextValue, RequestContext};
use serde_json::{Value, json};

/// Xorshift: the same pairs for one seed everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut out = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            out.next();
        }
        out
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 11) as usize % n
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }

    /// One text, or a list of some.
    fn some(&mut self, all: &[&str]) -> Value {
        match self.below(3) {
            0 => json!([self.pick(all), self.pick(all)]),
            _ => json!(self.pick(all)),
        }
    }
}

const ACTIONS: &[&str] = &[
    "*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "s3:PutObject",
    "s3:*Object",
    "s3:ListBucket",
    "S3:getobject",
    "sqs:*",
    "sqs:SendMessage",
    "sqs:Send*",
    "iam:PassRole",
    "iam:*Role",
    "new:Thing",
    "new:*",
    "ec2:Describe*",
    "ec2:RunInstances",
];
const ASKED_ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:DeleteObject",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "iam:PassRole",
    "iam:CreateRole",
    "new:Thing",
    "ec2:DescribeVpcs",
    "ec2:RunInstances",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/b*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::?/*",
    "arn:aws:s3:::a/b/c",
    "arn:aws:s3:::a/*/c",
    "arn:aws:sqs:*:*:q",
    "arn:aws:sqs:us-east-1:111122223333:q*",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:iam::*:role/a",
    "arn:aws:s3:::a/${aws:username}/*",
    "arn:*:s3:::a/*",
];
const ASKED_RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/b",
    "arn:aws:s3:::a/b/c",
    "arn:aws:s3:::a/x/c",
    "arn:aws:s3:::b/b",
    "arn:aws:s3:::bb",
    "arn:aws:sqs:us-east-1:111122223333:q",
    "arn:aws:sqs:us-east-1:111122223333:qq",
    "arn:aws:sqs:eu-west-1:444455556666:q",
    "arn:aws:iam::111122223333:role/a",
    "arn:aws:iam::444455556666:role/a",
    "arn:aws:s3:::a/alice/x",
    "arn:aws:s3:::a/bob/x",
];
const KEYS: &[(&str, &[&str], &[&str])] = &[
    (
        "aws:RequestTag/team",
        &["a", "b", "ab", "A"],
        &["a", "b*", "a?", "*", "A"],
    ),
    (
        "s3:prefix",
        &["home/alice", "home/bob/", "x", ""],
        &["home/*", "home/bob/", "x", "home/${aws:username}", "*"],
    ),
    (
        "aws:SourceIp",
        &["10.0.0.1", "10.0.1.1", "192.0.2.7", "2001:db8::1"],
        &["10.0.0.0/24", "10.0.0.0/16", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32"],
    ),
    ("s3:max-keys", &["0", "10", "11", "1000"], &["10", "11", "1000"]),
    (
        "aws:CurrentTime",
        &["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"],
        &["2026-01-01T00:00:00Z", "2026-01-01"],
    ),
    ("aws:SecureTransport", &["true", "false"], &["true", "false"]),
    ("aws:TagKeys", &["team", "owner", "cost"], &["team", "owner", "t*"]),
    (
        "aws:SourceArn",
        &["arn:aws:s3:::a", "arn:aws:sns:us-east-1:111122223333:t"],
        &["arn:aws:s3:::*", "arn:aws:sns:*:111122223333:t", "arn:aws:s3:::a"],
    ),
];
const PRINCIPALS: &[&str] = &[
    "\"*\"",
    r#"{"AWS":"*"}"#,
    r#"{"AWS":"111122223333"}"#,
    r#"{"AWS":"arn:aws:iam::111122223333:role/a"}"#,
    r#"{"AWS":["arn:aws:iam::111122223333:user/u","444455556666"]}"#,
    r#"{"Service":"ec2.amazonaws.com"}"#,
    r#"{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]}"#,
    r#"{"Federated":"*"}"#,
    r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/p"}"#,
];
const ASKED_PRINCIPALS: &[&str] = &[
    "arn:aws:iam::111122223333:role/a",
    "arn:aws:iam::111122223333:user/u",
    "arn:aws:iam::444455556666:role/a",
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    "arn:aws:iam::111122223333:saml-provider/p",
    "accounts.google.com",
    "",
];

fn operators(key: &str) -> &'static [&'static str] {
    match key {
        "aws:SourceIp" => &["IpAddress", "NotIpAddress", "IpAddressIfExists"],
        "s3:max-keys" => &[
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericEquals",
            "NumericGreaterThan",
            "NumericNotEquals",
            "NumericGreaterThanEqualsIfExists",
        ],
        "aws:CurrentTime" => &["DateLessThan", "DateGreaterThan", "DateGreaterThanEquals", "DateEquals"],
        "aws:SecureTransport" => &["Bool", "BoolIfExists", "StringEquals"],
        "aws:TagKeys" => &[
            "ForAllValues:StringEquals",
            "ForAnyValue:StringEquals",
            "ForAllValues:StringLike",
            "ForAnyValue:StringLike",
            "ForAllValues:StringNotEquals",
        ],
        "aws:SourceArn" => &["ArnLike", "ArnEquals", "ArnNotLike", "ArnLikeIfExists"],
        _ => &[
            "StringEquals",
            "StringLike",
            "StringNotEquals",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringLikeIfExists",
            "StringNotEqualsIfExists",
        ],
    }
}

fn statement(r: &mut Random, principals: bool) -> Value {
    let mut s = serde_json::Map::new();
    s.insert("Effect".into(), json!(if r.one_in(4) { "Deny" } else { "Allow" }));
    if principals {
        let who: Value = serde_json::from_str(r.pick(PRINCIPALS)).unwrap();
        let key = if r.one_in(12) && s["Effect"] == "Deny" {
            "NotPrincipal"
        } else {
            "Principal"
        };
        s.insert(key.into(), who);
    }
    // Mostly, actions are on resources of their service.
    let service = r.pick(&["s3", "s3", "sqs", "iam", ""]);
    let of_service = |all: &[&'static str]| -> Vec<&'static str> {
        let marks = [format!("{service}:"), format!(":{service}:")];
        let fits = |t: &&&str| t.to_lowercase().starts_with(&marks[0]) || t.contains(&marks[1]) || **t == "*";
        all.iter().filter(fits).copied().collect()
    };
    let (actions, resources) = match service {
        "" => (ACTIONS.to_vec(), RESOURCES.to_vec()),
        _ => (of_service(ACTIONS), of_service(RESOURCES)),
    };
    let key = if r.one_in(8) { "NotAction" } else { "Action" };
    s.insert(key.into(), r.some(&actions));
    let key = if r.one_in(8) { "NotResource" } else { "Resource" };
    s.insert(key.into(), r.some(&resources));
    let mut block = serde_json::Map::new();
    for _ in 0..[0, 0, 1, 1, 2][r.below(5)] {
        let (key, _, values) = KEYS[r.below(KEYS.len())];
        if r.one_in(8) {
            block.insert("Null".into(), json!({key: r.pick(&["true", "false"])}));
            continue;
        }
        let operator = r.pick(operators(key));
        block.insert(operator.into(), json!({key: r.some(values)}));
    }
    if !block.is_empty() {
        s.insert("Condition".into(), Value::Object(block));
    }
    Value::Object(s)
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A document, and one that differs from it in a few places or in all.
pub fn pair(r: &mut Random) -> [Value; 2] {
    let principals = r.one_in(3);
    let a: Vec<Value> = (0..1 + r.below(3)).map(|_| statement(r, principals)).collect();
    let mut b = a.clone();
    match r.below(6) {
        0 => b = (0..1 + r.below(3)).map(|_| statement(r, principals)).collect(),
        1 => b.push(statement(r, principals)),
        2 => drop(b.pop()),
        3 => b.reverse(),
        _ => change(r, &mut b, principals),
    }
    if b.is_empty() {
        b.push(statement(r, principals));
    }
    [document(&a), document(&b)]
}

/// Another value for one element of one statement.
fn change(r: &mut Random, statements: &mut [Value], principals: bool) {
    let other = statement(r, principals);
    let at = r.below(statements.len());
    let keys: Vec<String> = statements[at].as_object().unwrap().keys().cloned().collect();
    let key = &keys[r.below(keys.len())];
    match other.get(key) {
        Some(value) => statements[at][key] = value.clone(),
        None if key == "Condition" => drop(statements[at].as_object_mut().unwrap().remove(key)),
        None => {}
    }
}

/// Two policies of several statements each, the second one rewritten or changed in some places.
pub fn policies(r: &mut Random) -> [Value; 2] {
    let principals = r.one_in(3);
    let a: Vec<Value> = (0..2 + r.below(5)).map(|_| statement(r, principals)).collect();
    let mut b = a.clone();
    rewrite(r, &mut b);
    for _ in 0..r.below(3) {
        match r.below(5) {
            0 => b.push(statement(r, principals)),
            1 if b.len() > 1 => drop(b.remove(r.below(b.len()))),
            _ => change(r, &mut b, principals),
        }
    }
    [document(&a), document(&b)]
}

/// The same in other words.
fn rewrite(r: &mut Random, statements: &mut Vec<Value>) {
    let from = r.below(statements.len());
    statements.rotate_left(from);
    // Split: one statement for each item.
    for key in ["Action", "Resource"] {
        let at = r.below(statements.len());
        let Some(Value::Array(items)) = statements[at].get(key).cloned() else {
            continue;
        };
        let like = statements.remove(at);
        for item in items {
            let mut one = like.clone();
            one[key] = item;
            statements.push(one);
        }
    }
    let at = r.below(statements.len());
    if statements[at].get("Action") == Some(&json!("s3:*Object")) {
        statements[at]["Action"] = json!(["s3:*Object", "S3:PutObject"]);
    }
    if r.one_in(3) {
        let again = statements[at].clone();
        statements.push(again);
    }
}

/// A request in the words of the policies, of one of the documents that name principals or of the others.
pub fn request(r: &mut Random, principals: bool) -> AccessRequest {
    let mut context = RequestContext::closed();
    let known = |values: Vec<&str>| ContextValue::Known(values.into_iter().map(str::to_owned).collect());
    for (key, values, _) in KEYS {
        let always = matches!(*key, "aws:CurrentTime" | "aws:SecureTransport");
        if !always && r.one_in(3) {
            continue;
        }
        let mut own = vec![r.pick(values)];
        if *key == "aws:TagKeys" && r.one_in(2) {
            let more = r.pick(values);
            if !own.contains(&more) {
                own.push(more);
            }
        }
        context.set(key, known(own));
    }
    if !r.one_in(3) {
        context.set("aws:username", known(vec![r.pick(&["alice", "bob"])]));
    }
    let principal = match principals {
        true => r.pick(ASKED_PRINCIPALS),
        false => r.pick(&ASKED_PRINCIPALS[..3]),
    };
    let caller = match principal {
        "" => Caller::Anonymous,
        name => Caller::parse(name).unwrap(),
    };
    AccessRequest {
        // Of another account than all callers, so that the policy decides.
        resource_account: Some("000000000000".to_owned()),
        caller,
        action: r.pick(ASKED_ACTIONS).to_owned(),
        resources: vec![r.pick(ASKED_RESOURCES).to_owned()],
        context,
    }
}
