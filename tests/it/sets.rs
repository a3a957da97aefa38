//! Sets of requests: two random documents are compared, and requests that are sampled say the same as the comparison. The
//! judge of the samples reads the JSON by itself and shares nothing with the sets but the pattern of a single text.

use std::collections::BTreeMap;

use overgrant::internals::access::sets::{Difference, Witness, WitnessPrincipal, compare};
use overgrant::internals::iam::Ownership;
use overgrant::internals::iam::glob::{CaseSensitivity, matches};
use overgrant::internals::pipeline::analyze;
use overgrant::internals::source::Sources;
use rayon::prelude::*;
use serde_json::{Value, json};

/// Xorshift: the same pairs for one seed everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
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

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 11) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
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
    let key = if r.one_in(8) { "NotAction" } else { "Action" };
    s.insert(key.into(), r.some(ACTIONS));
    let key = if r.one_in(8) { "NotResource" } else { "Resource" };
    s.insert(key.into(), r.some(RESOURCES));
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

/// A document, and one that differs from it in a few places or in all.
fn pair(r: &mut Random) -> [Value; 2] {
    let principals = r.one_in(3);
    let document = |statements: Vec<Value>| json!({"Version": "2012-10-17", "Statement": statements});
    let a: Vec<Value> = (0..1 + r.below(3)).map(|_| statement(r, principals)).collect();
    let mut b = a.clone();
    match r.below(6) {
        0 => b = (0..1 + r.below(3)).map(|_| statement(r, principals)).collect(),
        1 => b.push(statement(r, principals)),
        2 => drop(b.pop()),
        3 => b.reverse(),
        _ => {
            let other = statement(r, principals);
            let at = r.below(b.len());
            let keys: Vec<String> = b[at].as_object().unwrap().keys().cloned().collect();
            let key = &keys[r.below(keys.len())];
            match other.get(key) {
                Some(value) => b[at][key] = value.clone(),
                None if key == "Condition" => drop(b[at].as_object_mut().unwrap().remove(key)),
                None => {}
            }
        }
    }
    if b.is_empty() {
        b.push(statement(r, principals));
    }
    [document(a), document(b)]
}

/// A request of the samples.
struct Asked {
    principal: String,
    action: String,
    resource: String,
    context: BTreeMap<String, Vec<String>>,
}

fn asked(r: &mut Random, principals: bool) -> Asked {
    let mut context = BTreeMap::new();
    for (key, values, _) in KEYS {
        let always = matches!(*key, "aws:CurrentTime" | "aws:SecureTransport");
        if !always && r.one_in(3) {
            continue;
        }
        let mut own = vec![r.pick(values).to_owned()];
        if *key == "aws:TagKeys" && r.one_in(2) {
            let more = r.pick(values).to_owned();
            if !own.contains(&more) {
                own.push(more);
            }
        }
        context.insert(key.to_lowercase(), own);
    }
    if !r.one_in(3) {
        context.insert("aws:username".into(), vec![r.pick(&["alice", "bob"]).to_owned()]);
    }
    Asked {
        principal: if principals {
            r.pick(ASKED_PRINCIPALS).to_owned()
        } else {
            ASKED_PRINCIPALS[0].to_owned()
        },
        action: r.pick(ASKED_ACTIONS).to_owned(),
        resource: r.pick(ASKED_RESOURCES).to_owned(),
        context,
    }
}

fn texts(v: &Value) -> Vec<&str> {
    match v {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        v => v.as_str().into_iter().collect(),
    }
}

/// The text with its variable, or `None` where the request has no value for it.
fn filled(text: &str, asked: &Asked) -> Option<String> {
    if !text.contains("${") {
        return Some(text.to_owned());
    }
    let name = asked.context.get("aws:username")?.first()?;
    Some(text.replace("${aws:username}", name))
}

fn covers(s: &Value, plain: &str, not: &str, asked: &Asked, one: impl Fn(&str) -> bool) -> bool {
    let has = |v: &Value| texts(v).into_iter().filter_map(|t| filled(t, asked)).any(|t| one(&t));
    match (s.get(plain), s.get(not)) {
        (Some(v), _) => has(v),
        (None, Some(v)) => !has(v),
        (None, None) => true,
    }
}

fn is_named(who: &Value, principal: &str) -> bool {
    if who == "*" {
        return true;
    }
    let is_arn = principal.starts_with("arn:") && !principal.contains("-provider/");
    who.as_object().unwrap().iter().any(|(kind, v)| {
        texts(v).into_iter().any(|text| match kind.as_str() {
            "AWS" if text == "*" => true,
            "AWS" if is_arn => {
                let account = text.split(':').nth(4).unwrap_or(text);
                text == principal
                    || (text == account || text.ends_with(":root")) && principal.split(':').nth(4) == Some(account)
            }
            "Service" => text == principal,
            "Federated" if text == "*" => principal.contains("-provider/") || principal == "accounts.google.com",
            "Federated" => text == principal,
            _ => false,
        })
    })
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn date(text: &str) -> String {
    // All are UTC, so that they sort as texts.
    if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    }
}

fn address(text: &str) -> (bool, u128) {
    match text.parse().unwrap() {
        std::net::IpAddr::V4(a) => (false, u32::from(a).into()),
        std::net::IpAddr::V6(a) => (true, a.into()),
    }
}

fn in_network(value: &str, network: &str) -> bool {
    let (base, bits) = network.split_once('/').map_or((network, None), |(b, n)| (b, number(n)));
    let ((six, at), (of_six, first)) = (address(value), address(base));
    let width = if six { 128 } else { 32 };
    let shift = width - bits.unwrap_or(width);
    six == of_six && (shift >= 128 || at >> shift == first >> shift)
}

fn compares(operator: &str, value: &str, with: &str) -> bool {
    let order = |ordering: std::cmp::Ordering| {
        let base = operator.trim_start_matches("Numeric").trim_start_matches("Date");
        match base {
            "LessThan" => ordering.is_lt(),
            "LessThanEquals" => ordering.is_le(),
            "GreaterThan" => ordering.is_gt(),
            "GreaterThanEquals" => ordering.is_ge(),
            _ => ordering.is_eq(),
        }
    };
    match operator {
        o if o.starts_with("Numeric") => order(number(value).unwrap().cmp(&number(with).unwrap())),
        o if o.starts_with("Date") => order(date(value).cmp(&date(with))),
        o if o.contains("IpAddress") => in_network(value, with),
        "Bool" => value.eq_ignore_ascii_case(with),
        o if o.ends_with("IgnoreCase") => value.eq_ignore_ascii_case(with),
        o if o.starts_with("Arn") => {
            let (value, with): (Vec<_>, Vec<_>) = (value.splitn(6, ':').collect(), with.splitn(6, ':').collect());
            value.len() == with.len()
                && value
                    .iter()
                    .zip(with)
                    .all(|(v, w)| matches(w, v, CaseSensitivity::Sensitive))
        }
        o if o.contains("Like") => matches(with, value, CaseSensitivity::Sensitive),
        _ => value == with,
    }
}

fn condition(operator: &str, key: &str, v: &Value, asked: &Asked) -> bool {
    let own = asked.context.get(&key.to_lowercase());
    if operator == "Null" {
        return texts(v).contains(&"true") == own.is_none();
    }
    let (set, rest) = operator
        .split_once(':')
        .map_or(("", operator), |(set, rest)| (set, rest));
    let (base, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
    let negated = base.contains("Not");
    let plain = base.replace("Not", "");
    let Some(own) = own else {
        return if_exists || set == "ForAllValues" || set.is_empty() && negated;
    };
    // A value whose variable has none matches nothing.
    let values: Vec<String> = texts(v).into_iter().filter_map(|t| filled(t, asked)).collect();
    if values.len() < texts(v).len() && negated {
        return false;
    }
    let one = |value: &String| values.iter().any(|with| compares(&plain, value, with)) != negated;
    match set {
        "ForAllValues" => own.iter().all(one),
        _ => own.iter().any(one),
    }
}

fn applies(s: &Value, asked: &Asked) -> bool {
    let who = match (s.get("Principal"), s.get("NotPrincipal")) {
        (Some(who), _) => is_named(who, &asked.principal),
        (None, Some(who)) => !is_named(who, &asked.principal),
        (None, None) => true,
    };
    who && covers(s, "Action", "NotAction", asked, |t| {
        matches(t, &asked.action, CaseSensitivity::Insensitive)
    }) && covers(s, "Resource", "NotResource", asked, |t| {
        matches(t, &asked.resource, CaseSensitivity::Sensitive)
    }) && s.get("Condition").is_none_or(|block| {
        let lines = block.as_object().unwrap().iter();
        let mut lines = lines.flat_map(|(o, keys)| keys.as_object().unwrap().iter().map(move |(k, v)| (o, k, v)));
        lines.all(|(o, k, v)| condition(o, k, v, asked))
    })
}

fn allowed(document: &Value, asked: &Asked) -> bool {
    let statements = document["Statement"].as_array().unwrap();
    let of = |effect: &str| statements.iter().any(|s| s["Effect"] == effect && applies(s, asked));
    of("Allow") && !of("Deny")
}

fn as_asked(w: &Witness) -> Asked {
    let context = w.context.iter().map(|(k, v)| (k.clone(), v.values().to_vec()));
    Asked {
        principal: match &w.principal {
            WitnessPrincipal::Named(name) => name.clone(),
            WitnessPrincipal::Anonymous => String::new(),
        },
        action: w.action.clone(),
        resource: w.resource.clone(),
        context: context.collect(),
    }
}

/// How many pairs were equal, were different, and were not decided.
#[derive(Default)]
struct Tally {
    nothing: usize,
    gains: usize,
    unknown: usize,
    wrong: Vec<String>,
}

fn judge(pair: &[Value; 2], found: &Difference, r: &mut Random, samples: usize, tally: &mut Tally) {
    let [old, new] = pair;
    for gain in &found.gained {
        let asked = as_asked(&gain.request);
        if !allowed(new, &asked) || allowed(old, &asked) {
            tally
                .wrong
                .push(format!("not a witness: {:?}\nold {old}\nnew {new}", gain.request));
        }
    }
    if !found.gained.is_empty() {
        tally.gains += 1;
    } else if !found.unknown.is_empty() {
        tally.unknown += 1;
    } else {
        tally.nothing += 1;
        let principals = new["Statement"][0].get("Principal").is_some();
        for _ in 0..samples {
            let asked = asked(r, principals);
            if allowed(new, &asked) && !allowed(old, &asked) {
                let what = format!(
                    "{} {} {} {:?}",
                    asked.principal, asked.action, asked.resource, asked.context
                );
                tally
                    .wrong
                    .push(format!("said nothing is new: {what}\nold {old}\nnew {new}"));
                break;
            }
        }
    }
}

fn batch(seed: u64, pairs: usize, samples: usize) -> Tally {
    let mut r = Random::new(seed);
    let all: Vec<[Value; 2]> = (0..pairs).map(|_| pair(&mut r)).collect();
    let texts = all.iter().flatten().enumerate();
    let files: Vec<(String, String)> = texts.map(|(i, d)| (format!("{i:06}.json"), d.to_string())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let sources = Sources::from_strings(&files);
    let own = Ownership::default();
    let project = analyze(&sources, &own).project;
    let documents: BTreeMap<&str, _> = project
        .documents
        .iter()
        .map(|d| (sources.path(d.span.file), d))
        .collect();
    let mut tally = Tally::default();
    for (i, pair) in all.iter().enumerate() {
        let document = |n: usize| documents.get(&*format!("{:06}.json", 2 * i + n));
        let (Some(old), Some(new)) = (document(0), document(1)) else {
            tally.wrong.push(format!("not read: {} {}", pair[0], pair[1]));
            continue;
        };
        judge(pair, &compare(old, new), &mut r, samples, &mut tally);
    }
    tally
}

/// `cargo xtask sets` asks for more pairs.
#[test]
fn comparisons_agree_with_requests() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let pairs = number("OVERGRANT_PAIRS").unwrap_or(500);
    let seed = number("OVERGRANT_SEED").unwrap_or(1);
    const BATCH: u64 = 250;
    let batches: Vec<u64> = (0..pairs.div_ceil(BATCH)).collect();
    let tallies: Vec<Tally> = batches
        .par_iter()
        .map(|n| batch(seed.wrapping_mul(1_000_003).wrapping_add(*n), BATCH as usize, 100))
        .collect();
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let wrong: Vec<&String> = tallies.iter().flat_map(|t| &t.wrong).collect();
    println!(
        "{} with nothing new, {} with something new, {} unknown, {} wrong",
        sum(|t| t.nothing),
        sum(|t| t.gains),
        sum(|t| t.unknown),
        wrong.len()
    );
    let shown: Vec<&str> = wrong.iter().take(5).map(|w| w.as_str()).collect();
    assert!(wrong.is_empty(), "{}", shown.join("\n\n"));
    assert!(
        sum(|t| t.unknown) * 4 < sum(|t| t.nothing) + sum(|t| t.gains),
        "too many unknown"
    );
}
