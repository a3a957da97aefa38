//! `overgrant evidence`: what logs become.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use overgrant::internals::evidence::collect::Collector;
use overgrant::internals::evidence::{Evidence, EvidenceFailure, Logged};
use overgrant::internals::iam::catalogue::catalogue;
use overgrant::internals::iam::cloudtrail::event_actions;
use serde_json::{Value, json};

use crate::support::repository::{Ran, Repository};

const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";

/// An event of a session of [`ROLE`], with `more` in place of its fields.
fn event(source: &str, name: &str, more: Value) -> Value {
    let mut event = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAIDPPEZS35WEXAMPLE:jane@example.com",
            "arn": "arn:aws:sts::111122223333:assumed-role/app/jane@example.com",
            "accountId": "111122223333",
            "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": { "sessionIssuer": { "type": "Role", "arn": ROLE, "userName": "app" } },
        },
        "eventTime": "2026-03-01T10:00:00Z",
        "eventSource": format!("{source}.amazonaws.com"),
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "Boto3/1.42.0",
        "requestParameters": null,
        "eventID": "0f0f0f0f-0000-4000-8000-000000000000",
        "readOnly": true,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "eventCategory": "Management",
        "recipientAccountId": "111122223333",
    });
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn get_object(key: &str) -> Value {
    let arn = format!("arn:aws:s3:::data/{key}");
    event(
        "s3",
        "GetObject",
        json!({
            "requestParameters": { "bucketName": "data", "key": key },
            "resources": [
                { "type": "AWS::S3::Object", "ARN": arn },
                { "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::data", "accountId": "111122223333" },
            ],
            "managementEvent": false,
            "eventCategory": "Data",
        }),
    )
}

fn log(events: &[Value]) -> String {
    json!({ "Records": events }).to_string()
}

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// What is collected from files.
fn collect(files: &[(&str, &[u8])]) -> Ran {
    let repository = Repository::new(&[]);
    for (path, bytes) in files {
        repository.write(&format!("logs/{path}"), bytes);
    }
    repository.run(&["evidence", "collect", "logs"])
}

/// The evidence in one text.
fn evidence(text: &str) -> Evidence {
    let ran = collect(&[("a.json", text.as_bytes())]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    read(&ran.out)
}

fn read(text: &str) -> Evidence {
    let (evidence, problems) = Evidence::parse(text).unwrap();
    assert_eq!(problems, []);
    assert_eq!(evidence.render(), text, "what is read is what was written");
    evidence
}

/// `identity: actions` of each row.
fn uses(evidence: &Evidence) -> Vec<String> {
    let actions = |row: &overgrant::internals::evidence::UsedRow| match &row.actions {
        None => "?".to_owned(),
        Some(actions) => actions.join(" "),
    };
    evidence
        .rows
        .iter()
        .map(|r| format!("{}: {}", r.identity, actions(r)))
        .collect()
}

#[test]
fn a_log_becomes_a_row_for_each_event_of_a_role() {
    let evidence = evidence(&log(&[
        get_object("a"),
        get_object("b"),
        event("ec2", "DescribeInstances", json!({})),
    ]));
    assert_eq!(
        evidence.render(),
        "overgrant-evidence 1\n\
         period\t2026-03-01\t2026-03-01\n\
         trail\t111122223333\teu-west-1\t2026-03-01\t2026-03-01\tread\t-\tec2.amazonaws.com\n\
         data\t111122223333\teu-west-1\tAWS::S3::Object\tread\t-\tarn:aws:s3:::data\n\
         use\trole\tarn:aws:iam::111122223333:role/team/app\tec2.amazonaws.com\tDescribeInstances\tec2:DescribeInstances\t\
         allowed\t1\t2026-03-01\t2026-03-01\t-\t-\t-\n\
         use\trole\tarn:aws:iam::111122223333:role/team/app\ts3.amazonaws.com\tGetObject\ts3:GetObject\tallowed\t2\t\
         2026-03-01\t2026-03-01\tarn:aws:s3:::data/a, arn:aws:s3:::data/b\t-\t-\n"
    );
}

#[test]
fn every_form_of_a_log_gives_the_same() {
    let events = [get_object("a"), event("sts", "GetCallerIdentity", json!({}))];
    let whole = log(&events);
    let expected = evidence(&whole).render();
    let lines: String = events.iter().map(|e| format!("{e}\n")).collect();
    let lookup = json!({ "Events": events.iter().map(|e| json!({
        "EventName": "x", "EventTime": 1_772_359_200, "Username": "jane@example.com", "CloudTrailEvent": e.to_string(),
    })).collect::<Vec<_>>(), "NextToken": "x" });
    let bridge: String = events
        .iter()
        .map(|e| json!({ "detail-type": "AWS API Call via CloudTrail", "detail": e }).to_string())
        .collect();
    let halves = [packed(&format!("{}\n", events[0])), packed(&events[1].to_string())].concat();
    let forms: [(&str, Vec<u8>); 8] = [
        (
            "a.json",
            serde_json::to_vec_pretty(&json!({ "Records": events })).unwrap(),
        ),
        ("a.json.gz", packed(&whole)),
        ("a.gz", halves),
        ("a.jsonl", lines.replace('\n', "\r\n").into_bytes()),
        ("a.json", lookup.to_string().into_bytes()),
        ("a.json", json!(events).to_string().into_bytes()),
        ("a.json", bridge.into_bytes()),
        (
            "a.json",
            format!(
                "\u{feff}{}",
                serde_json::to_string_pretty(&events[0]).unwrap() + &events[1].to_string()
            )
            .into_bytes(),
        ),
    ];
    for (name, bytes) in forms {
        let ran = collect(&[(name, &bytes)]);
        assert_eq!(ran.out, expected, "{name}: {}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn the_order_of_files_and_events_changes_nothing() {
    let events: Vec<Value> = (0..40).map(|i| get_object(&format!("key-{i:02}"))).collect();
    let reversed: Vec<Value> = events.iter().rev().cloned().collect();
    let (one, other) = (evidence(&log(&events)), evidence(&log(&reversed)));
    assert_eq!(one, other);
    assert_eq!(one.rows[0].resources.len(), 16);
    assert!(one.rows[0].resources_cut && one.render().contains("arn:aws:s3:::data/key-15, *\t"));
    let (a, b) = (log(&events[..20]), log(&events[20..]));
    let split = collect(&[("x/b.json", a.as_bytes()), ("a.json.gz", &packed(&b))]);
    assert_eq!(read(&split.out), one);
}

#[test]
fn nothing_personal_is_in_the_file() {
    let with_mail = get_object("users/jane.doe@example.com/AKIAIOSFODNN7EXAMPLE.json");
    let assumed = event(
        "sts",
        "AssumeRole",
        json!({ "requestParameters": { "roleArn": ROLE, "roleSessionName": "jane@example.com" } }),
    );
    let session = event(
        "kms",
        "CreateGrant",
        json!({ "resources": [{ "ARN": "arn:aws:sts::111122223333:assumed-role/app/jane" }] }),
    );
    let text = evidence(&log(&[with_mail, assumed, session])).render();
    for word in [
        "jane",
        "example.com",
        "198.51",
        "Boto3",
        "AKIA",
        "ASIA",
        "AROA",
        "0f0f0f0f",
    ] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert!(text.contains("arn:aws:s3:::data/users/*/*.json"), "{text}");
}

#[test]
fn each_kind_of_caller_is_told_apart() {
    let of = |identity: Value| event("ec2", "DescribeVpcs", json!({ "userIdentity": identity }));
    let account = "111122223333";
    let issuer = |arn: &str| json!({ "sessionIssuer": { "arn": arn } });
    let events = [
        of(
            json!({ "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice", "sessionContext": { "sessionIssuer": {} } }),
        ),
        of(json!({ "type": "Root", "accountId": account, "arn": "arn:aws:iam::111122223333:root" })),
        of(json!({ "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/chained/s" })),
        of(
            json!({ "type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/jane", "accountId": account,
            "sessionContext": issuer("arn:aws:iam::111122223333:user/broker") }),
        ),
        of(json!({ "type": "WebIdentityUser", "userName": "jane", "identityProvider": "accounts.google.com" })),
        of(
            json!({ "type": "SAMLUser", "userName": "jane", "identityProvider": "arn:aws:iam::111122223333:saml-provider/idp" }),
        ),
        of(json!({ "type": "AWSService", "invokedBy": "lambda.amazonaws.com" })),
        of(json!({ "invokedBy": "ec2.amazonaws.com", "accountId": account })),
        of(json!({ "type": "AWSAccount", "accountId": "444455556666", "principalId": "AIDAEXAMPLE:jane" })),
        of(
            json!({ "type": "IdentityCenterUser", "accountId": account, "onBehalfOf": {
            "userId": "jane", "identityStoreArn": "arn:aws:identitystore::111122223333:identitystore/d-1" } }),
        ),
        of(json!({ "type": "Unknown" })),
    ];
    let identities: Vec<String> = evidence(&log(&events))
        .rows
        .iter()
        .map(|r| r.identity.to_string())
        .collect();
    assert_eq!(
        identities,
        [
            "role arn:aws:iam::111122223333:role/chained",
            "user arn:aws:iam::111122223333:user/alice",
            "root arn:aws:iam::111122223333:root",
            "federated arn:aws:iam::111122223333:user/broker",
            "web accounts.google.com",
            "saml arn:aws:iam::111122223333:saml-provider/idp",
            "service ec2.amazonaws.com",
            "service lambda.amazonaws.com",
            "identity-center arn:aws:identitystore::111122223333:identitystore/d-1",
            "account 444455556666",
            "unknown -",
        ]
    );
}

#[test]
fn a_service_that_calls_for_a_role_and_another_account_are_named() {
    let mut via = get_object("a");
    via["userIdentity"]["invokedBy"] = json!("cloudformation.amazonaws.com");
    let mut across = get_object("a");
    across["recipientAccountId"] = json!("444455556666");
    let evidence = evidence(&log(&[via, across]));
    let told: Vec<_> = evidence
        .rows
        .iter()
        .map(|r| (r.via.as_deref(), r.account.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (None, Some("444455556666")),
            (Some("cloudformation.amazonaws.com"), None)
        ]
    );
    assert_eq!(evidence.coverage.len(), 2);
}

#[test]
fn denied_calls_have_rows_of_their_own() {
    let denied = |code: &str| {
        let mut event = get_object("a");
        event["errorCode"] = json!(code);
        event
    };
    let events = [
        get_object("a"),
        denied("AccessDenied"),
        denied("NoSuchKey"),
        denied("Client.UnauthorizedOperation"),
    ];
    let evidence = evidence(&log(&events));
    let told: Vec<_> = evidence.rows.iter().map(|r| (r.denied, r.count)).collect();
    assert_eq!(told, [(false, 2), (true, 2)]);
}

#[test]
fn events_are_known_by_their_actions() {
    let named: &[(&str, &str, &[&str])] = &[
        ("s3", "ListObjects", &["s3:ListBucket"]),
        ("s3", "HeadObject", &["s3:GetObject"]),
        ("s3", "GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
        ("s3", "GetBucketLifecycle", &["s3:GetLifecycleConfiguration"]),
        ("s3", "GetAccountPublicAccessBlock", &["s3:GetAccountPublicAccessBlock"]),
        ("s3", "CopyObject", &["s3:GetObject", "s3:PutObject"]),
        ("lambda", "Invoke", &["lambda:InvokeFunction"]),
        ("lambda", "ListFunctions20150331", &["lambda:ListFunctions"]),
        ("lambda", "UpdateFunctionCode20150331v2", &["lambda:UpdateFunctionCode"]),
        ("lambda", "ListTags20170331", &["lambda:ListTags"]),
        (
            "cloudfront",
            "CreateDistribution2020_05_31",
            &["cloudfront:CreateDistribution"],
        ),
        ("monitoring", "DescribeAlarms", &["cloudwatch:DescribeAlarms"]),
        ("tagging", "GetResources", &["tag:GetResources"]),
        (
            "elasticloadbalancing",
            "DescribeTargetGroups",
            &["elasticloadbalancing:DescribeTargetGroups"],
        ),
        ("states", "StartExecution", &["states:StartExecution"]),
        ("email", "SendEmail", &["ses:SendEmail"]),
        ("apigateway", "GetRestApis", &["apigateway:GET"]),
        ("sts", "AssumeRole", &["sts:AssumeRole"]),
        ("sts", "GetCallerIdentity", &[]),
        ("signin", "ConsoleLogin", &[]),
    ];
    for (source, name, actions) in named {
        let found = event_actions(&format!("{source}.amazonaws.com"), name).map(|e| e.actions);
        assert_eq!(found.as_deref(), Some(*actions), "{source} {name}");
    }
    assert_eq!(event_actions("s3.amazonaws.com", "NoSuchEvent"), None);
    assert_eq!(event_actions("nosuchservice.amazonaws.com", "GetObject"), None);
}

#[test]
fn an_unknown_event_is_a_row_and_named() {
    let ran = collect(&[("a.json", log(&[event("s3", "GetSomethingNew", json!({}))]).as_bytes())]);
    assert_eq!(uses(&read(&ran.out)), [format!("role {ROLE}: ?")]);
    assert!(
        ran.err
            .contains("1 event without a known action: s3.amazonaws.com GetSomethingNew (1)"),
        "{}",
        ran.err
    );
    // What AWS reports itself needs no permission.
    let own = event("kms", "RotateKey", json!({ "eventType": "AwsServiceEvent" }));
    assert_eq!(uses(&evidence(&log(&[own]))), [format!("role {ROLE}: ")]);
}

#[test]
fn a_parameter_of_the_request_may_need_an_action_more() {
    let run = |parameters: Value| {
        uses(&evidence(&log(&[event(
            "ec2",
            "RunInstances",
            json!({ "requestParameters": parameters }),
        )])))
    };
    assert_eq!(
        run(json!({ "instanceType": "t3.micro" })),
        [format!("role {ROLE}: ec2:RunInstances")]
    );
    assert_eq!(
        run(json!({ "tagSpecificationSet": { "items": [{}] } })),
        [format!("role {ROLE}: ec2:CreateTags ec2:RunInstances")]
    );
    assert_eq!(
        run(json!({ "tagSpecificationSet": null })),
        [format!("role {ROLE}: ec2:RunInstances")]
    );
}

#[test]
fn resources_are_made_of_parameters_where_none_are_listed() {
    let of = |source: &str, name: &str, parameters: Value| {
        let event = event(source, name, json!({ "requestParameters": parameters }));
        evidence(&log(&[event])).rows[0].resources.join(" ")
    };
    let queue = json!({ "queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs" });
    assert_eq!(
        of("sqs", "GetQueueAttributes", queue),
        "arn:aws:sqs:eu-west-1:111122223333:jobs"
    );
    assert_eq!(
        of("s3", "GetBucketAcl", json!({ "bucketName": "data" })),
        "arn:aws:s3:::data"
    );
    assert_eq!(
        of(
            "lambda",
            "GetFunction20150331v2",
            json!({ "functionName": "arn:aws:lambda:eu-west-1:111122223333:function:f" })
        ),
        "arn:aws:lambda:eu-west-1:111122223333:function:f"
    );
    assert_eq!(
        of("kms", "DescribeKey", json!({ "keyId": "alias/app" })),
        "arn:aws:kms:eu-west-1:111122223333:alias/app"
    );
    assert_eq!(
        of("ssm", "GetParameter", json!({ "name": "/app/db" })),
        "arn:aws:ssm:eu-west-1:111122223333:parameter/app/db"
    );
    assert_eq!(of("ec2", "DescribeVpcs", json!({ "name": "x" })), "");
}

#[test]
fn broken_parts_cost_only_themselves() {
    let whole = log(&[get_object("a"), get_object("b"), get_object("c")]);
    let truncated = &whole[..whole.len() - 60];
    let line = get_object("a").to_string();
    let lines = format!("{line}\nnot json\n{}\n{{\"eventVersion\": \n{line}\n", &line[..80]);
    let ran = collect(&[
        ("a.json", truncated.as_bytes()),
        ("b.jsonl", lines.as_bytes()),
        ("c.json.gz", &packed(&whole)[..200]),
        ("d.json", br#"{"kind": "List", "items": []}"#),
        ("e.json", b"[[[[[[[[ no"),
        ("notes.txt", b"x"),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let count: u64 = read(&ran.out).rows.iter().map(|r| r.count).sum();
    assert!(count >= 4, "{}", ran.out);
    for note in [
        "logs/a.json: ends in the middle of an event",
        "logs/c.json.gz: ends in the middle of an event",
        "logs/d.json: not a CloudTrail log",
        "logs/b.jsonl: 3 objects or lines are not valid events",
        "1 file was skipped by name",
    ] {
        assert!(ran.err.contains(note), "{note}: {}", ran.err);
    }
}

#[test]
fn deep_and_endless_input_is_no_danger() {
    let deep = format!("{{\"Records\":[{}{}]}}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let text = format!("{deep}\n{}\n", get_object("a"));
    let ran = collect(&[("a.json", text.as_bytes())]);
    assert!(ran.code == 0 || ran.code == 2, "{}", ran.err);
    for junk in [
        &b"\xff\xfe\x00"[..],
        b"{",
        b"\"",
        b"{\"Records\":[",
        b"[,,,]",
        b"\x1f\x8b\x00",
        b"",
    ] {
        assert_eq!(collect(&[("a.json", junk)]).code, 2);
    }
}

#[test]
fn without_an_event_the_run_fails() {
    let repository = Repository::new(&[("logs/a.json", "{}")]);
    let ran = repository.run(&["evidence", "collect", "logs", "-o", "out.txt"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("error: no event was read"), "{}", ran.err);
    assert!(!repository.path("out.txt").exists());
    assert_eq!(repository.run(&["evidence", "collect", "absent"]).code, 2);
}

#[test]
fn digest_files_and_insights_are_left_out() {
    let digest = json!({ "awsAccountId": "111122223333", "digestStartTime": "x", "digestEndTime": "2026-03-01T10:00:00Z", "logFiles": [] });
    let insight = event(
        "ec2",
        "RunInstances",
        json!({ "eventType": "AwsCloudTrailInsight", "eventCategory": "Insight" }),
    );
    let text = log(&[insight, get_object("a")]);
    let ran = collect(&[
        ("a.json", text.as_bytes()),
        ("digest.json", digest.to_string().as_bytes()),
    ]);
    assert_eq!(read(&ran.out).rows.len(), 1);
    assert!(
        ran.err.contains("1 digest file was skipped") && ran.err.contains("1 Insights event was skipped"),
        "{}",
        ran.err
    );
}

#[test]
fn days_are_in_utc_and_gaps_are_told() {
    let at = |time: Value| event("ec2", "DescribeVpcs", json!({ "eventTime": time }));
    let events = [
        at(json!("2026-03-01T10:00:00Z")),
        at(json!("2026-03-02T23:30:00-02:00")),
        at(json!(1_772_841_600)),
        at(json!("yesterday")),
    ];
    let ran = collect(&[("a.json", log(&events).as_bytes())]);
    let evidence = read(&ran.out);
    let seen = evidence.rows[0].seen;
    assert_eq!(
        (seen.first.to_string(), seen.last.to_string()),
        ("2026-03-01".to_owned(), "2026-03-07".to_owned())
    );
    assert!(
        ran.out
            .contains("gap\t2026-03-02\t2026-03-02\ngap\t2026-03-04\t2026-03-06\n"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("no event on 4 days inside the period"), "{}", ran.err);
    assert!(
        ran.err.contains("logs/a.json: 2 events have times that are not in UTC"),
        "{}",
        ran.err
    );
}

#[test]
fn standard_input_and_output_are_possible() {
    let repository = Repository::new(&[]);
    let ran = repository.run_with_stdin(&["evidence", "collect", "-"], &log(&[get_object("a")]));
    assert_eq!(
        (ran.code, uses(&read(&ran.out))),
        (0, vec![format!("role {ROLE}: s3:GetObject")])
    );
}

#[test]
fn last_accessed_details_and_findings_are_kept() {
    let details = json!({
        "JobStatus": "COMPLETED", "JobType": "ACTION_LEVEL", "JobCompletionDate": "2026-03-02T08:00:00+00:00",
        "ServicesLastAccessed": [
            { "ServiceName": "Amazon S3", "ServiceNamespace": "s3", "LastAuthenticated": "2026-02-27T23:00:00-02:00",
              "LastAuthenticatedEntity": ROLE, "TotalAuthenticatedEntities": 1,
              "TrackedActionsLastAccessed": [{ "ActionName": "PutBucketPolicy", "LastAccessedTime": "2026-02-01T00:00:00Z" }, { "ActionName": "DeleteBucket" }] },
            { "ServiceName": "AWS KMS", "ServiceNamespace": "kms", "TotalAuthenticatedEntities": 0 },
        ],
    });
    let finding = |kind: &str, details: Value| {
        json!({
            "id": "a", "resource": ROLE, "resourceType": "AWS::IAM::Role", "status": "ACTIVE", "findingType": kind,
            "analyzedAt": "2026-03-02T08:00:00Z", "findingDetails": [details],
        })
    };
    let findings = json!({ "findings": [finding("UnusedIAMRole", json!({ "unusedIamRoleDetails": {} }))] });
    let unused = finding(
        "UnusedPermission",
        json!({ "unusedPermissionDetails": {
        "serviceNamespace": "s3", "actions": [{ "action": "PutObject" }, { "action": "s3:GetObject", "lastAccessed": "2025-01-01T00:00:00Z" }] } }),
    );
    let key = finding(
        "UnusedIAMUserAccessKey",
        json!({ "unusedIamUserAccessKeyDetails": { "accessKeyId": "AKIAIOSFODNN7EXAMPLE" } }),
    );
    let ran = collect(&[
        ("a.json", details.to_string().as_bytes()),
        ("b.json", findings.to_string().as_bytes()),
        ("c.jsonl", format!("{unused}\n{key}\n").as_bytes()),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let head = "arn:aws:iam::111122223333:role/team/app";
    let mut expected = String::from("overgrant-evidence 1\n");
    for line in [
        "last-used\trole\tROLE\tkms\t-\t-\t2026-03-02",
        "last-used\trole\tROLE\ts3\t-\t2026-02-28\t2026-03-02",
        "last-used\trole\tROLE\ts3\ts3:DeleteBucket\t-\t2026-03-02",
        "last-used\trole\tROLE\ts3\ts3:PutBucketPolicy\t2026-02-01\t2026-03-02",
        "unused\trole\tROLE\trole\t-\t-\t2026-03-02",
        "unused\trole\tROLE\tpermission\ts3:GetObject\t2025-01-01\t2026-03-02",
        "unused\trole\tROLE\tpermission\ts3:PutObject\t-\t2026-03-02",
        "unused\trole\tROLE\taccess-key\t-\t-\t2026-03-02",
    ] {
        expected += &format!("{}\n", line.replace("ROLE", head));
    }
    assert_eq!(ran.out, expected);
    read(&ran.out);
}

#[test]
fn a_file_says_what_is_wrong_with_its_lines() {
    let text = "overgrant-evidence 1\nperiod\t2026-01-01\t2026-13-01\nuse\trole\n\nunheard\tof\n# a comment\ngap\t2026-01-02\t2026-01-03\tmore\n";
    let (evidence, problems) = Evidence::parse(text).unwrap();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 2: `2026-13-01` is not a day",
            "line 3: no identity",
            "line 5: unknown line `unheard`"
        ]
    );
    assert_eq!((evidence.gaps.len(), evidence.period), (1, None));
    assert_eq!(Evidence::parse("").unwrap_err(), EvidenceFailure::OtherFile);
    assert_eq!(
        Evidence::parse("overgrant-evidence 7\n").unwrap_err(),
        EvidenceFailure::OtherVersion("7".to_owned())
    );
}

#[test]
fn only_what_the_trail_logs_can_be_unused() {
    let evidence = evidence(&log(&[get_object("a"), event("ec2", "DescribeInstances", json!({}))]));
    let ask = |action: &str, resource: &str| evidence.logged(action, Some("111122223333"), resource);
    assert_eq!(ask("ec2:DescribeVpcs", "*"), Logged::Yes);
    // No management event that changes something was seen, nor one of KMS, which a trail can leave out.
    assert_eq!(ask("ec2:RunInstances", "*"), Logged::Unknown);
    assert_eq!(ask("kms:DescribeKey", "*"), Logged::Unknown);
    assert_eq!(ask("iam:PassRole", "*"), Logged::No);
    assert_eq!(ask("s3:GetObject", "arn:aws:s3:::data/*"), Logged::Yes);
    assert_eq!(ask("s3:GetObject", "arn:aws:s3:::database/*"), Logged::Unknown);
    assert_eq!(ask("s3:GetObject", "*"), Logged::Unknown);
    assert_eq!(ask("s3:PutObject", "arn:aws:s3:::data/*"), Logged::Unknown);
    assert_eq!(ask("dynamodb:GetItem", "*"), Logged::Unknown);
    assert_eq!(
        evidence.logged("ec2:DescribeVpcs", Some("444455556666"), "*"),
        Logged::Unknown
    );
}

#[test]
fn the_result_of_a_query_is_read() {
    let cells = [
        ("kind", "use"),
        ("user_type", "AssumedRole"),
        ("user_arn", "arn:aws:sts::111122223333:assumed-role/app"),
        ("issuer_arn", ROLE),
        ("account_id", "111122223333"),
        ("event_source", "s3.amazonaws.com"),
        ("event_name", "GetObject"),
        ("event_type", "AwsApiCall"),
        ("event_category", "Data"),
        ("read_only", "true"),
        ("aws_region", "eu-west-1"),
        ("recipient_account", "111122223333"),
        ("parameter_names", "bucketName,key"),
        ("parameters", ""),
        ("resource_list", "[\"AWS::S3::Object=arn:aws:s3:::data/a\"]"),
        ("is_cut", "false"),
        ("calls", "7"),
        ("first_day", "2026-03-01"),
        ("last_day", "2026-03-03"),
    ];
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |part: fn(&(&str, &str)) -> String| cells.iter().map(|c| quoted(&part(c))).collect::<Vec<_>>().join(",");
    let day = cells.iter().map(|(name, _)| match *name {
        "kind" => "day",
        "calls" => "7",
        "first_day" | "last_day" => "2026-03-01",
        _ => "",
    });
    let day = day.collect::<Vec<_>>().join(",");
    let csv = format!("{}\n{}\n{day}\n", line(|c| c.0.to_owned()), line(|c| c.1.to_owned()));
    let ran = collect(&[("a.csv", csv.as_bytes())]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let expected = "use\trole\tarn:aws:iam::111122223333:role/team/app\ts3.amazonaws.com\tGetObject\ts3:GetObject\tallowed\t7\t\
                    2026-03-01\t2026-03-03\tarn:aws:s3:::data/a\t-\t-\n";
    assert!(
        ran.out.ends_with(expected) && ran.out.contains("period\t2026-03-01\t2026-03-01\n"),
        "{}",
        ran.out
    );
    // As rows of JSON, and as Athena and CloudTrail Lake give it.
    let object: serde_json::Map<String, Value> = cells.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
    let names = json!({ "Data": cells.iter().map(|c| json!({ "VarCharValue": c.0 })).collect::<Vec<_>>() });
    let values = json!({ "Data": cells.iter().map(|c| json!({ "VarCharValue": c.1 })).collect::<Vec<_>>() });
    let lake: Vec<Value> = cells.iter().map(|(n, v)| json!({ *n: v })).collect();
    for form in [
        json!([object]),
        json!({ "ResultSet": { "Rows": [names, values] } }),
        json!({ "QueryStatus": "FINISHED", "QueryResultRows": [lake] }),
    ] {
        let ran = collect(&[("a.json", form.to_string().as_bytes())]);
        assert!(ran.out.ends_with(expected), "{form}: {} {}", ran.out, ran.err);
    }
}

#[test]
fn the_text_of_queries_is_as_in_testdata() {
    let repository = Repository::new(&[]);
    for engine in ["athena", "lake", "duckdb"] {
        let ran = repository.run(&["evidence", "query", "--engine", engine, "--days", "90"]);
        assert_eq!(ran.code, 0);
        for place in ["{TABLE}", "{SINCE}", "{SAME}", "{SAME_NULLS}", "{PARAMETERS}", "{MOST}"] {
            assert!(!ran.out.contains(place), "{place}");
        }
        crate::support::golden::check(&format!("evidence/query-{engine}.sql"), &ran.out);
    }
    let all = repository
        .run(&["evidence", "query", "--engine", "duckdb", "--table", "o'brien/*.json"])
        .out;
    assert!(all.contains("'o''brien/*.json'") && !all.contains("INTERVAL"), "{all}");
    assert_eq!(
        repository
            .run(&["evidence", "query", "--engine", "athena", "--days", "0"])
            .code,
        2
    );
}

#[test]
fn the_tables_of_cloudtrail_name_what_there_is() {
    let table = |name: &str| std::fs::read_to_string(format!("rules/facts/hand/cloudtrail-{name}.txt")).unwrap();
    let lines = |text: &str| -> Vec<Vec<String>> {
        let lines = text.lines().filter(|l| !l.starts_with('#'));
        lines.map(|l| l.split('\t').map(str::to_owned).collect()).collect()
    };
    let is_action = |name: &str| catalogue().action(name).is_some();
    for line in lines(&table("logging")) {
        let has_service = line[0]
            .strip_suffix(":*")
            .is_some_and(|s| catalogue().service(s).is_some());
        assert!(is_action(&line[0]) || has_service, "{}", line[0]);
    }
    for line in lines(&table("events")).iter().filter(|l| l[0].starts_with("event ")) {
        assert!(line[1] == "none" || line[1].split(", ").all(is_action), "{line:?}");
        assert_eq!(line.len(), 3, "{line:?}");
    }
}

/// The functions of `testdata/evidence/functions` ran on moto; `record.py` there wrote what CloudTrail would have logged.
#[test]
fn what_is_logged_of_a_function_is_what_it_needs() {
    let repository = Repository::new(&[]);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/evidence");
    let ran = repository.run(&["evidence", "collect", &format!("{root}/functions.jsonl")]);
    let evidence = read(&ran.out);
    let mut functions = 0;
    for entry in std::fs::read_dir(format!("{root}/functions")).unwrap() {
        let path = entry.unwrap().path();
        let role = format!(
            "arn:aws:iam::123456789012:role/{}",
            path.file_stem().unwrap().to_str().unwrap()
        );
        let rows = evidence.rows.iter().filter(|r| r.identity.name == role);
        let mut used: Vec<String> = rows.flat_map(|r| r.actions.clone().unwrap()).collect();
        used.sort();
        used.dedup();
        let code = std::fs::read(&path).unwrap();
        repository.write("function.py", &code);
        let needs = repository.run(&["needs", "function.py", "--format", "json"]).json();
        let actions = |call: &Value| {
            let lists = [&call["actions"]["required"], &call["actions"]["any_of"]];
            let all = lists.into_iter().flat_map(|list| list.as_array().unwrap());
            all.map(|a| a.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let mut needed: Vec<String> = needs["calls"].as_array().unwrap().iter().flat_map(actions).collect();
        needed.sort();
        needed.dedup();
        assert_eq!(used, needed, "{}", path.display());
        functions += 1;
    }
    assert_eq!(functions, 20);
}

#[test]
fn no_cut_or_change_of_a_byte_is_a_danger() {
    let text = log(&[get_object("a"), event("ec2", "RunInstances", json!({}))]);
    let count = |bytes: &[u8]| {
        let mut collector = Collector::default();
        let _ = collector.read(bytes);
        collector.finish().1.events
    };
    assert_eq!(count(text.as_bytes()), 2);
    let mut most = 0;
    for end in 0..text.len() {
        let events = count(&text.as_bytes()[..end]);
        assert!(events >= most, "what is whole is read: {end}");
        most = events;
    }
    for at in (0..text.len()).step_by(3) {
        for byte in *b"\"{}[]\\,\n\0\xff" {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = byte;
            assert!(count(&bytes) <= 2);
        }
    }
}
