//! Every format of the same report, and what no format may show.

use std::collections::BTreeSet;
use std::path::Path;

use overgrant::internals::finding::{Confidence, Edit, Finding, Fix, Severity};
use overgrant::internals::report::{OutputFormat, Page, RenderOptions};
use overgrant::internals::rules::{Ruleset, ids};
use overgrant::internals::source::{Problem, Sources, Span};
use overgrant::internals::triage::{
    FindingIdentity, Report, ReportedFinding, Stats, Status, Suppression, SuppressionKind,
};

use serde_json::Value;

use crate::support::golden;
use crate::support::repository::{Repository, key_pair};

fn sample_sources() -> Sources {
    let (id, secret) = key_pair();
    let keys = format!(
        r#"import boto3

client = boto3.client(
    "s3",
    aws_access_key_id="{id}",
    aws_secret_access_key="{secret}",  # {id} again
)
"#
    );
    let filler = r#""Description":"a long line of a file that a tool wrote on one line","#.repeat(6);
    let minified = format!(r#"{{{filler}"Statement":[{{"Effect":"Allow","Action":"*",{filler}"Resource":"*"}}]}}"#);
    Sources::from_strings(&[
        (
            "infra/main.tf",
            "resource \"aws_iam_policy\" \"ci\" {\n\tname   = \"größe\"; policy = file(\"${path.module}/policies/ci.json\")\n}\n",
        ),
        (
            "infra/policies/ci.json",
            r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
}
"#,
        ),
        ("min.json", &minified),
        ("src/keys <1>.py", &keys),
    ])
}

/// The n-th place of `text` in `path`.
fn at(sources: &Sources, path: &str, text: &str, n: usize) -> Span {
    let file = sources.find(path).unwrap();
    let (i, _) = sources.text(file).match_indices(text).nth(n).unwrap();
    Span::new(file, i, i + text.len())
}

fn reported_finding(finding: Finding, severity: Severity, family: &str, n: usize) -> ReportedFinding {
    ReportedFinding {
        severity,
        confidence: Confidence::High,
        family: family.to_owned(),
        identity: FindingIdentity {
            fingerprint: format!("og1:00000000000{n}"),
            ..FindingIdentity::default()
        },
        status: Status::New,
        suppression: None,
        fails: severity >= Severity::Medium,
        fixes: Vec::new(),
        finding,
    }
}

fn sample_report(sources: &Sources) -> Report {
    let (id, secret) = key_pair();
    let ci = "infra/policies/ci.json";
    let mut admin = Finding::new(ids::ADMIN_STAR_STAR, "every action on every resource is allowed")
        .primary(at(sources, ci, r#""*""#, 0), "every action in every AWS service")
        .secondary(at(sources, ci, r#""*""#, 1), "on every resource")
        .secondary(
            at(
                sources,
                "infra/main.tf",
                r#"file("${path.module}/policies/ci.json")"#,
                0,
            ),
            "attached here as [aws_iam_policy.ci]",
        )
        .help("list the actions, 100% of them: a, b")
        .note("the holder is an administrator")
        .actions(["*".to_owned()])
        .resources(["*".to_owned()]);
    admin.subject.address = "aws_iam_policy.ci".to_owned();
    admin.subject.attribute = "policy".to_owned();
    admin.folded = vec![ids::ACTION_STAR, ids::PASS_ROLE_STAR];
    let fix = Fix {
        title: "list one action".to_owned(),
        safe: true,
        may_grant: false,
        edits: vec![Edit {
            span: at(sources, ci, r#""*""#, 0),
            text: r#""s3:GetObject""#.to_owned(),
        }],
    };
    let long = Finding::new(ids::ADMIN_STAR_STAR, "every action on every resource is allowed")
        .primary(at(sources, "min.json", r#""*""#, 0), "every action")
        .secondary(at(sources, "min.json", r#""*""#, 1), "on every resource");
    let keys = "src/keys <1>.py";
    let mut key = Finding::new(
        ids::AWS_KEY_PAIR_TOGETHER,
        format!("an access key {id} with its secret"),
    )
    .primary(at(sources, keys, &format!(r#""{id}""#), 0), "long-term access key id")
    .secondary(at(sources, keys, &format!(r#""{secret}""#), 0), "its secret key");
    key.secrets = vec![
        at(sources, keys, &id, 0),
        at(sources, keys, &format!(r#""{secret}""#), 0),
    ];
    let secrets = key.secrets.clone();
    key.flow = vec![overgrant::internals::finding::Label {
        span: at(sources, keys, "boto3.client", 0),
        role: overgrant::internals::finding::LabelRole::Secondary,
        text: "used here".to_owned(),
    }];
    let mut ignored = reported_finding(
        Finding::new(ids::MISSING_VERSION, "this policy has no version").primary(at(sources, "min.json", "{", 0), ""),
        Severity::Low,
        "validity",
        4,
    );
    ignored.status = Status::Suppressed;
    ignored.suppression = Some(Suppression {
        kind: SuppressionKind::Config,
        reason: Some("SEC-1".to_owned()),
        until: None,
        owner: Some("@acme".to_owned()),
        path: "overgrant.toml".to_owned(),
        line: 3,
    });
    let mut admin = reported_finding(admin, Severity::Critical, "actions", 1);
    admin.fixes.push(fix);
    Report {
        findings: vec![
            admin,
            ignored,
            reported_finding(long, Severity::Medium, "actions", 2),
            reported_finding(key, Severity::High, "credentials", 3),
        ],
        unevaluated: Vec::new(),
        errors: vec![Problem::syntax(
            at(sources, "infra/main.tf", "file(", 0),
            "unclosed `(`",
        )],
        stats: Stats {
            files: 4,
            skipped: 2,
            failed: 1,
            policies: 2,
            statements: 2,
            ..Stats::default()
        },
        secrets,
        ..Report::default()
    }
}

fn render_sample(format: OutputFormat, options: RenderOptions) -> String {
    let sources = sample_sources();
    let report = sample_report(&sources);
    let ruleset = Ruleset::builtin();
    Page::new(&report, &sources, &ruleset, options).render(format)
}

/// Texts of rules may be bettered without every golden changing.
fn without_pages(text: &str) -> String {
    let mut log: serde_json::Value = serde_json::from_str(text).unwrap();
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        for key in ["help", "fullDescription", "shortDescription"] {
            assert!(rule[key]["text"].as_str().is_some_and(|t| !t.is_empty()), "{rule}");
            rule[key] = "…".into();
        }
        rule["properties"]["tags"] = "…".into();
    }
    let mut out = serde_json::to_string_pretty(&log).unwrap();
    out.push('\n');
    out
}

fn without_data(text: &str) -> String {
    let date = overgrant::internals::iam::catalogue().data_date();
    let ruleset = Ruleset::builtin();
    let mut out = text.replace(date, "DATE");
    for rule in ["admin-star-star", "missing-version", "aws-key-pair-together"] {
        if let Some(rule) = ruleset.get(rule) {
            out = out.replace(rule.title(), "TITLE");
            let cwe = serde_json::to_string(rule.cwe()).unwrap();
            out = out.replace(&format!(r#""cwe":{cwe}"#), r#""cwe":[]"#);
            let mut pretty = serde_json::to_string_pretty(rule.cwe()).unwrap();
            pretty = pretty.replace('\n', "\n      ");
            out = out.replace(&format!(r#""cwe": {pretty}"#), r#""cwe": []"#);
        }
    }
    out
}

/// A page without its style, its script, and the texts of rules.
fn without_shell(page: &str) -> String {
    let mut out = page.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    for (begin, end) in [
        ("content=\"default-src", "\">"),
        ("<style>", "</style>"),
        ("<section aria-labelledby=\"rules\">", "</section>"),
        ("<script>", "</script>"),
    ] {
        let from = out.find(begin).unwrap() + begin.len();
        let to = from + out[from..].find(end).unwrap();
        out.replace_range(from..to, "…");
    }
    out
}

#[test]
fn every_format_of_one_report() {
    for format in OutputFormat::ALL {
        let text = render_sample(format, RenderOptions::default());
        let text = match format {
            OutputFormat::Sarif => without_pages(&text),
            OutputFormat::Json | OutputFormat::Jsonl => without_data(&text),
            OutputFormat::Html => without_shell(&without_data(&text)),
            _ => text,
        };
        golden::check(&format!("render/{}.{}", format.name(), format.extension()), &text);
    }
}

#[test]
fn people_may_ask_for_more_or_less() {
    let options = |change: &dyn Fn(&mut RenderOptions)| {
        let mut options = RenderOptions::default();
        change(&mut options);
        render_sample(OutputFormat::Human, options)
    };
    golden::check("render/colored.txt", &options(&|o| o.color = true));
    golden::check("render/no-source.txt", &options(&|o| o.source = false));
    golden::check(
        "render/suppressed.txt",
        &options(&|o| {
            o.show_suppressed = true;
            o.statistics = true;
            o.width = 60;
        }),
    );
    let linked = options(&|o| {
        o.hyperlinks = true;
        o.cwd = "/repo".to_owned();
    });
    assert!(
        linked.contains("\u{1b}]8;;file:///repo/infra/policies/ci.json\u{1b}\\infra/policies/ci.json"),
        "{linked:?}"
    );
    assert!(!options(&|o| o.summary = false).contains("Found"));
}

#[test]
fn no_secret_in_any_format() {
    let (id, secret) = key_pair();
    for format in OutputFormat::ALL {
        let name = format.name();
        for color in [false, true] {
            let text = render_sample(
                format,
                RenderOptions {
                    color,
                    ..RenderOptions::default()
                },
            );
            assert!(!text.contains(&id) && !text.contains(&secret), "{name}");
            assert!(!text.contains(&id[4..16]) && !text.contains(&secret[8..24]), "{name}");
        }
    }
}

#[test]
fn machine_formats_are_one_document() {
    for format in OutputFormat::ALL {
        let text = render_sample(format, RenderOptions::default());
        match format {
            OutputFormat::Json | OutputFormat::Sarif | OutputFormat::Gitlab | OutputFormat::Rdjson => {
                serde_json::from_str::<serde_json::Value>(&text).unwrap();
            }
            OutputFormat::Jsonl => {
                let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
                assert_eq!(lines.len(), 5);
                assert!(lines[4]["summary"].is_object());
            }
            OutputFormat::Junit | OutputFormat::Checkstyle => is_well_formed(&text),
            _ => {}
        }
    }
}

/// Tags match, and no bare markup in text: enough for what we write ourselves.
fn is_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = xml
        .strip_prefix(r#"<?xml version="1.0" encoding="UTF-8"?>"#)
        .and_then(|text| text.strip_prefix('\n'))
        .unwrap();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>'), "{text}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty());
}

#[test]
fn sarif_is_sarif() {
    let text = render_sample(OutputFormat::Sarif, RenderOptions::default());
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert!(driver["name"].is_string());
    let rules = driver["rules"].as_array().unwrap();
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len());
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for r in results {
        let index = usize::try_from(r["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], r["ruleId"]);
        assert!(r["message"]["text"].is_string());
        assert!(["error", "warning", "note"].contains(&r["level"].as_str().unwrap()));
        let prints = r["partialFingerprints"].as_object().unwrap();
        assert!(prints.contains_key("overgrant/v1") && prints.contains_key("primaryLocationLineHash"));
        assert!(prints.values().all(Value::is_string));
        let related = r["relatedLocations"].as_array().into_iter().flatten();
        for location in r["locations"].as_array().unwrap().iter().chain(related) {
            let place = &location["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(
                !uri.starts_with('/') && !uri.contains("file:") && !uri.contains(' '),
                "{uri}"
            );
            let number = |name: &str| place["region"][name].as_u64().unwrap();
            assert!(number("startLine") >= 1 && number("startColumn") >= 1);
            assert!(number("endLine") >= number("startLine"));
        }
    }
    assert!(!text.contains(r#""snippet""#) && !text.contains("contextRegion"));
}

#[test]
fn findings_that_are_alike_collapse_after_five() {
    let policy = |i: usize| {
        format!(
            r#"  P{i}:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{{ Effect: Allow, Action: "*", Resource: "*" }}]
"#
        )
    };
    let text = format!(
        r"Resources:
{}",
        (0..8).map(policy).collect::<String>()
    );
    let r = Repository::new(&[("t.yaml", &text)]);
    let run = |more: &[&str]| r.run(&[&["check", "--only", "admin-star-star"], more].concat()).out;
    let collapsed = run(&[]);
    assert_eq!(collapsed.matches("fingerprint:").count(), 5);
    assert!(
        collapsed.contains(": 3 more") && collapsed.contains("t.yaml:37, t.yaml:43, t.yaml:49"),
        "{collapsed}"
    );
    assert!(collapsed.contains("Found 8 problems in 1 file: 8 critical."));
    assert_eq!(run(&["--no-collapse"]).matches("fingerprint:").count(), 8);
}

#[test]
fn the_binary_shows_no_secret_wherever_it_writes() {
    let (id, secret) = key_pair();
    let template = format!(
        r#"Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          AWS_ACCESS_KEY_ID: {id}
          AWS_SECRET_ACCESS_KEY: {secret}
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: {id}
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{{ Sid: {id}, Effect: Allow, Action: "*", Resource: "*" }}]
"#
    );
    let python = format!(
        r"import boto3
boto3.client('s3', aws_access_key_id='{id}', aws_secret_access_key='{secret}')
"
    );
    let env = format!(
        r"AWS_ACCESS_KEY_ID={id}
AWS_SECRET_ACCESS_KEY={secret}
"
    );
    let r = Repository::new(&[("t.yaml", &template), ("a.py", &python), (".env", &env)]);
    let mut outputs = Vec::new();
    for format in OutputFormat::ALL {
        let name = format.name();
        outputs.push(r.run(&["check", "-v", "-f", name]));
        // Also when the rules that find secrets are not selected.
        outputs.push(r.run(&["check", "--select", "actions", "-f", name]));
    }
    outputs.push(r.run(&["check", "--output", "sarif=out.sarif"]));
    outputs.push(r.run(&["policies"]));
    outputs.push(r.run(&["policies", "-f", "json"]));
    outputs.push(r.run(&["files"]));
    outputs.push(r.run(&["explain", "t.yaml:15"]));
    for ran in &outputs {
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(&id) && !text.contains(&secret), "{text}");
        }
    }
    assert!(!r.read("out.sarif").contains(&id) && !r.read("out.sarif").contains(&secret));
    let found = r.run(&["check", "-f", "compact"]).out;
    assert!(found.contains("aws-"), "{found}");
}

/// The schemas that are committed are those of this version, and describe what the commands write.
#[test]
fn the_json_schemas_are_current_and_hold() {
    let repo = Repository::new(&[
        (
            "policy.json",
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
        ),
        (
            "main.tf",
            r#"resource "aws_iam_role_policy" "p" {
  role = var.role
  policy = jsonencode({Statement = {Effect = "Allow", Action = var.action, Resource = "*"}})
}
"#,
        ),
        (
            "code.py",
            r"import boto3
boto3.client('lambda').create_function(FunctionName='f', Role='r')
boto3.client(name).go()
",
        ),
        ("broken.tf", "resource {"),
        (
            "user.json",
            r#"{"Resources": {"U": {"Type": "AWS::IAM::User", "Properties": {"UserName": "ann", "Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "sqs:*"], "Resource": "*"}]}}]}}}}"#,
        ),
        (
            "evidence.txt",
            "overgrant-evidence 1\nperiod\t2026-08-01\t2026-10-29\ntrail\t111122223333\teu-west-1\t2026-08-01\t2026-10-29\tread\twrite\tsts.amazonaws.com\nuse\tuser\tarn:aws:iam::111122223333:user/ann\ts3.amazonaws.com\tListBuckets\ts3:ListAllMyBuckets\tallowed\t1\t2026-08-03\t2026-08-03\t-\t-\t-\nuse\tuser\tarn:aws:iam::111122223333:user/ann\ts3.amazonaws.com\tDeleteBucket\ts3:DeleteBucket\tdenied\t1\t2026-08-03\t2026-08-03\t-\t-\t-\nuse\tuser\tarn:aws:iam::111122223333:user/bob\ts3.amazonaws.com\tListBuckets\ts3:ListAllMyBuckets\tallowed\t1\t2026-08-03\t2026-08-03\t-\t-\t-\n",
        ),
        (
            "all.access.toml",
            "[[contract]]\nname = 'a'\nwho = ['other-accounts', 'nobody']\nnever = ['s3:GetObject', 'kms:*']\nreach = 'any path'\n",
        ),
        (
            "narrow.json",
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}]}"#,
        ),
        (
            "wide.json",
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "${x}"}, "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}]}"#,
        ),
    ]);
    let outputs: [(&str, &[&str]); 11] = [
        ("report", &["check", "--format", "json"]),
        ("policies", &["policies", "--format", "json"]),
        ("needs", &["needs", "--format", "json"]),
        ("workloads", &["workloads", "--format", "json"]),
        ("can", &["can", "public", "s3:GetObject", "--format", "json"]),
        ("who-can", &["who-can", "s3:GetObject", "--format", "json"]),
        ("contracts", &["contracts", "--format", "json"]),
        ("diff", &["diff", "narrow.json", "wide.json", "--format", "json"]),
        ("paths", &["paths", "--format", "json"]),
        ("graph", &["graph", "--format", "json"]),
        (
            "evidence",
            &["evidence", "report", "--evidence", "evidence.txt", "--format", "json"],
        ),
    ];
    let committed = |name: &str| {
        let printed = repo.run(&["config", "schema", name]).out;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{name}.schema.json"));
        if std::env::var_os("OVERGRANT_UPDATE").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, printed, "OVERGRANT_UPDATE=1 writes it");
        printed
    };
    committed("settings");
    for (name, command) in outputs {
        let schema: Value = serde_json::from_str(&committed(name)).unwrap();
        let mut wrong = Vec::new();
        follows(&schema, &schema, &repo.run(command).json(), "", &mut wrong);
        assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
    }
}

/// Whether a value has the properties that its schema demands, and no others.
fn follows(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap();
        return follows(root, target, value, at, wrong);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let of = if value.is_null() { &any[any.len() - 1] } else { &any[0] };
        return follows(root, of, value, at, wrong);
    }
    // A schema without a type allows every value.
    if schema["type"].is_null() {
        return;
    }
    match value {
        Value::Object(map) if schema["additionalProperties"].is_object() => {
            for (key, v) in map {
                follows(root, &schema["additionalProperties"], v, &format!("{at}/{key}"), wrong);
            }
        }
        Value::Object(map) => {
            for key in map.keys().filter(|key| schema["properties"][key.as_str()].is_null()) {
                wrong.push(format!("{at}/{key}: not in the schema"));
            }
            for key in schema["required"].as_array().into_iter().flatten() {
                if !map.contains_key(key.as_str().unwrap()) {
                    wrong.push(format!("{at}/{key}: required"));
                }
            }
            for (key, inner) in map {
                follows(root, &schema["properties"][key], inner, &format!("{at}/{key}"), wrong);
            }
        }
        Value::Array(items) => {
            for item in items {
                follows(root, &schema["items"], item, &format!("{at}/0"), wrong);
            }
        }
        _ => {}
    }
}
