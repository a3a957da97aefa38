//! CloudFormation expressions: what they amount to, and where each part is written.
//!
//! Expected values are those of the CloudFormation Template Reference ("Intrinsic function reference") and of the SAM
//! Developer Guide.

use overgrant::internals::formats::cloudformation::CloudFormation;
use overgrant::internals::model::{LoweredUnit, Resource};
use overgrant::internals::source::{Piece, Sources, Text};
use overgrant::internals::value::{Value, ValueKind};

use crate::support::lint::lower;

pub(crate) fn find<'u>(units: &'u [LoweredUnit], name: &str) -> &'u Resource {
    units
        .iter()
        .flat_map(|u| &u.resources)
        .find(|r| &*r.address.name == name)
        .unwrap_or_else(|| panic!("no resource {name}"))
}

/// A value in one line: texts as they display, alternatives with their conditions, unknown values as `?name`.
pub(crate) fn show(value: &Value) -> String {
    match &value.kind {
        ValueKind::Null => "null".to_owned(),
        ValueKind::Bool(b) => b.to_string(),
        ValueKind::Num(n) => n.to_string(),
        ValueKind::Str(t) => t.display(),
        ValueKind::Seq(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        ValueKind::Map(entries) => {
            let entries = entries
                .iter()
                .map(|e| format!("{}: {}", e.key.display(), show(&e.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        ValueKind::Json(inner) => format!("json({})", show(inner)),
        ValueKind::OneOf(branches) => {
            let branches = branches.iter().map(|b| format!("{}: {}", b.when, show(&b.value)));
            format!("<{}>", branches.collect::<Vec<_>>().join(" | "))
        }
        ValueKind::Unknown(hole) => format!("?{}", hole.name),
    }
}

/// Where each part of a value is written, as the source has it: the pieces of texts between `|`.
pub(crate) fn written(sources: &Sources, value: &Value) -> String {
    match &value.kind {
        ValueKind::Str(text) => pieces(sources, text),
        ValueKind::Seq(items) => {
            let items = items.iter().map(|v| written(sources, v));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        ValueKind::Map(entries) => {
            let entries = entries
                .iter()
                .map(|e| format!("{}: {}", sources.slice(e.key_span), written(sources, &e.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        ValueKind::Json(inner) => written(sources, inner),
        ValueKind::OneOf(branches) => {
            let branches = branches.iter().map(|b| written(sources, &b.value));
            format!("<{}>", branches.collect::<Vec<_>>().join(" | "))
        }
        ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) | ValueKind::Unknown(_) => {
            sources.slice(value.span).to_owned()
        }
    }
}

fn pieces(sources: &Sources, text: &Text) -> String {
    let place = |p: &Piece| match p {
        Piece::Lit(l) => sources.slice(l.map.span_of(0..l.text.len()).unwrap()).to_owned(),
        Piece::Hole(h) => sources.slice(h.span).to_owned(),
    };
    text.pieces().iter().map(place).collect::<Vec<_>>().join("|")
}

/// The common surroundings of the expressions below.
const TEMPLATE: &str = r#"
Parameters:
  Env: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Name: {Type: String}
  Empty: {Type: String, Default: ''}
  Only: {Type: String, AllowedValues: [single]}
  Names: {Type: CommaDelimitedList, Default: "a, b,c"}
  Subnets: {Type: 'List<AWS::EC2::Subnet::Id>'}
  Secret: {Type: String, NoEcho: true}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /app/key}
Mappings:
  Actions:
    dev: {Name: "s3:*", List: [s3:Get*, s3:List*]}
    prod: {Name: "s3:GetObject"}
  Regions:
    eu-west-1: {Ami: ami-1}
    us-east-1: {Ami: ami-2}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  NotProd: !Not [!Condition IsProd]
  Always: !Equals [a, a]
  Never: !And [!Condition Always, !Equals [a, b]]
  Either: !Or [!Condition Always, !Condition IsProd]
Resources:
  Role: {Type: AWS::IAM::Role}
  Bucket: {Type: AWS::S3::Bucket}
  Test:
    Type: AWS::Test::Type
    Properties:
      P: "#;

/// Evaluates each expression inside [`TEMPLATE`] and compares what it is and where its parts are written.
fn check_expressions(cases: &[(&str, &str, &str)]) {
    let mut wrong = String::new();
    for (expression, expected, places) in cases {
        let text = format!("{TEMPLATE}{expression}\n");
        let (sources, units) = lower(&CloudFormation, &[("t.yaml", &text)]);
        assert!(units[0].problems.is_empty(), "{expression}: {:?}", units[0].problems);
        let value = find(&units, "Test").get("P");
        let shown = value.map_or_else(|| "absent".to_owned(), show);
        let slices = value.map_or_else(String::new, |v| written(&sources, v));
        if shown != *expected || slices != *places {
            wrong.push_str(&format!(
                r"{expression}
    is {shown:?}, not {expected:?}
    at {slices:?}, not {places:?}
"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        r"
{wrong}"
    );
}

#[test]
fn reference() {
    check_expressions(&[
        ("!Ref Bucket", "${Bucket}", "!Ref Bucket"),
        ("{Ref: Bucket}", "${Bucket}", "{Ref: Bucket}"),
        ("!Ref Name", "${Name}", "!Ref Name"),
        ("!Ref Env", "dev", "dev"),
        ("!Ref Empty", "${Empty}", "!Ref Empty"),
        ("!Ref Only", "single", "single"),
        ("!Ref Secret", "${Secret}", "!Ref Secret"),
        ("!Ref Stored", "${Stored}", "!Ref Stored"),
        ("!Ref Names", "[a, b, c]", "[a, b, c]"),
        ("!Ref Subnets", "?Subnets", "!Ref Subnets"),
        ("!Ref AWS::AccountId", "${AWS::AccountId}", "!Ref AWS::AccountId"),
        ("{Ref: 'AWS::Region'}", "${AWS::Region}", "{Ref: 'AWS::Region'}"),
        ("!Ref AWS::StackName", "${AWS::StackName}", "!Ref AWS::StackName"),
        (
            "!Ref AWS::NotificationARNs",
            "?AWS::NotificationARNs",
            "!Ref AWS::NotificationARNs",
        ),
        ("!Ref AWS::NoValue", "absent", ""),
        ("[a, !Ref AWS::NoValue, b]", "[a, b]", "[a, b]"),
        ("{a: !Ref AWS::NoValue, b: 1}", "{b: 1}", "{b: 1}"),
        ("!Ref Nowhere", "${Nowhere}", "!Ref Nowhere"),
        (
            "{Ref: Bucket, Other: 1}",
            "{Ref: Bucket, Other: 1}",
            "{Ref: Bucket, Other: 1}",
        ),
    ]);
}

#[test]
fn attributes() {
    check_expressions(&[
        ("!GetAtt Role.Arn", "${Role.Arn}", "!GetAtt Role.Arn"),
        ("!GetAtt [Role, Arn]", "${Role.Arn}", "!GetAtt [Role, Arn]"),
        ("{Fn::GetAtt: [Role, Arn]}", "${Role.Arn}", "{Fn::GetAtt: [Role, Arn]}"),
        ("{'Fn::GetAtt': Role.Arn}", "${Role.Arn}", "{'Fn::GetAtt': Role.Arn}"),
        (
            "!GetAtt [Bucket, !Ref Env]",
            "${Bucket.dev}",
            "!GetAtt [Bucket, !Ref Env]",
        ),
    ]);
}

#[test]
fn sub() {
    check_expressions(&[
        ("!Sub plain", "plain", "plain"),
        (
            r#"!Sub "arn:${AWS::Partition}:s3:::${Bucket}/*""#,
            "arn:${AWS::Partition}:s3:::${Bucket}/*",
            "arn:|${AWS::Partition}|:s3:::|${Bucket}|/*",
        ),
        ("{'Fn::Sub': '${Role.Arn}'}", "${Role.Arn}", "${Role.Arn}"),
        ("!Sub '${!aws:username}'", "${aws:username}", "${|aws:username}"),
        (
            "!Sub 'home/${!aws:username}/${Env}'",
            "home/${aws:username}/dev",
            "home/${|aws:username}/|${Env}",
        ),
        (
            "!Sub ['arn:aws:s3:::${b}/${p}', {b: !Ref Bucket, p: data}]",
            "arn:aws:s3:::${Bucket}/data",
            "arn:aws:s3:::|${b}|/|${p}",
        ),
        (
            "{Fn::Sub: ['www.${Domain}', {Domain: !Sub '${Env}.example.com'}]}",
            "www.dev.example.com",
            "www.|${Domain}|${Domain}",
        ),
        ("!Sub '${ Env }'", "dev", "${ Env }"),
        ("!Sub 'a${'", "a${", "a${"),
        (
            "!Sub '${Name}-${Nowhere}'",
            "${Name}-${Nowhere}",
            "${Name}|-|${Nowhere}",
        ),
        ("!Sub '${Empty}x'", "${Empty}x", "${Empty}|x"),
        ("!Sub 'x${AWS::NoValue}y'", "xy", "x|y"),
        ("!Sub '$${Env}'", "$dev", "$|${Env}"),
        (r#"!Sub "say \"${Env}\"""#, r#"say "dev""#, r#"say \"|${Env}|\""#),
        (
            "!Sub ['${v}', {v: !If [IsProd, a, b]}]",
            "<if IsProd: a | unless IsProd: b>",
            "<${v} | ${v}>",
        ),
        ("!Sub ['${v}', {v: [a]}]", "${list}", "${v}"),
        ("!Sub ['${v}', {v: 1}]", "1", "${v}"),
        ("!Sub ['${Env}', {Env: own}]", "own", "${Env}"),
        ("!Sub [!Ref Env, {}]", "?Fn::Sub", "!Sub [!Ref Env, {}]"),
    ]);
}

#[test]
fn block_scalars_keep_their_places() {
    check_expressions(&[
        (
            r#"!Sub |
        {"Action": "${Env}:*",
         "Resource": "*"}"#,
            r#"{"Action": "dev:*",
 "Resource": "*"}
"#,
            r#"{"Action": "|${Env}|:*",
         "Resource": "*"}
"#,
        ),
        (
            r"!Sub >-
        one
        ${Env}",
            "one dev",
            r"one
        |${Env}",
        ),
    ]);
}

#[test]
fn join() {
    check_expressions(&[
        ("!Join ['', [a, b]]", "ab", "a|b"),
        ("!Join [':', [a, b, c]]", "a:b:c", "a|b|b|c|c"),
        (
            "{Fn::Join: ['-', [!Ref Env, !Ref Bucket]]}",
            "dev-${Bucket}",
            "!Ref Env|!Ref Bucket|!Ref Bucket",
        ),
        (
            "!Join [',', !Ref Names]",
            "a,b,c",
            "!Ref Names|!Ref Names|!Ref Names|!Ref Names|!Ref Names",
        ),
        ("!Join [',', !Ref Subnets]", "${Subnets}", "!Join [',', !Ref Subnets]"),
        ("!Join ['', []]", "", ""),
        (
            "!Join ['', ['arn:', !Ref AWS::Partition, ':iam::', !Ref AWS::AccountId, ':root']]",
            "arn:${AWS::Partition}:iam::${AWS::AccountId}:root",
            "arn:|!Ref AWS::Partition|:iam::|!Ref AWS::AccountId|:root",
        ),
        (
            "!Join ['/', [a, !If [IsProd, b, !Ref AWS::NoValue], c]]",
            "<if IsProd: a/b/c | unless IsProd: a/c>",
            "<a|!If [IsProd, b, !Ref AWS::NoValue]|b|c|c | a|c|c>",
        ),
        ("!Join [',', !Split ['|', 'a|b']]", "a,b", "a|b|b"),
        ("!Join ['', [!Join ['-', [a, b]], c]]", "a-bc", "a|b|b|c"),
        ("!Join ['', [1, true]]", "1true", "1|true"),
    ]);
}

#[test]
fn conditionals() {
    check_expressions(&[
        ("!If [IsProd, a, b]", "<if IsProd: a | unless IsProd: b>", "<a | b>"),
        (
            "{'Fn::If': [IsProd, {x: 1}, !Ref AWS::NoValue]}",
            "<if IsProd: {x: 1}>",
            "<{x: 1}>",
        ),
        ("!If [IsProd, !Ref AWS::NoValue, !Ref AWS::NoValue]", "absent", ""),
        ("!If [Always, a, b]", "a", "a"),
        ("!If [Never, a, b]", "b", "b"),
        ("!If [Either, a, b]", "a", "a"),
        (
            "!If [IsProd, !If [IsProd, a, b], c]",
            "<if IsProd: a | unless IsProd: c>",
            "<a | c>",
        ),
        (
            "!If [NotProd, !If [IsProd, a, b], !If [IsProd, c, d]]",
            "<if NotProd: b | unless NotProd: c>",
            "<b | c>",
        ),
        (
            "!If [Unheard, a, !If [IsProd, b, c]]",
            "<if Unheard: a | unless Unheard and if IsProd: b | unless Unheard and unless IsProd: c>",
            "<a | b | c>",
        ),
        (
            "[x, !If [IsProd, y, !Ref AWS::NoValue]]",
            "[x, <if IsProd: y>]",
            "[x, <y>]",
        ),
        (
            "!Sub ['${a}${b}', {a: !If [IsProd, 1, 2], b: !If [IsProd, 3, 4]}]",
            "<if IsProd: 13 | unless IsProd: 24>",
            "<${a}|${b} | ${a}|${b}>",
        ),
        ("!Equals [a, a]", "true", "!Equals [a, a]"),
        ("!Equals [!Ref Env, dev]", "?Fn::Equals", "!Equals [!Ref Env, dev]"),
        ("!Not [!Equals [a, b]]", "true", "!Not [!Equals [a, b]]"),
        (
            "!And [!Equals [a, a], !Condition Always]",
            "true",
            "!And [!Equals [a, a], !Condition Always]",
        ),
        (
            "!Or [!Condition Never, {Condition: Always}]",
            "true",
            "!Or [!Condition Never, {Condition: Always}]",
        ),
    ]);
}

#[test]
fn mappings() {
    check_expressions(&[
        ("!FindInMap [Actions, prod, Name]", "s3:GetObject", "s3:GetObject"),
        ("!FindInMap [Actions, !Ref Env, Name]", "s3:*", "s3:*"),
        (
            "{'Fn::FindInMap': [Actions, dev, List]}",
            "[s3:Get*, s3:List*]",
            "[s3:Get*, s3:List*]",
        ),
        (
            "!FindInMap [Regions, !Ref AWS::Region, Ami]",
            "<for eu-west-1: ami-1 | for us-east-1: ami-2>",
            "<ami-1 | ami-2>",
        ),
        (
            "!FindInMap [Actions, test, Name, {DefaultValue: s3:None}]",
            "s3:None",
            "s3:None",
        ),
        (
            "!FindInMap [Actions, test, Name]",
            "?Fn::FindInMap",
            "!FindInMap [Actions, test, Name]",
        ),
        (
            "!FindInMap [Nothing, a, b]",
            "?Fn::FindInMap",
            "!FindInMap [Nothing, a, b]",
        ),
        ("!FindInMap [Nothing, a, b, {DefaultValue: d}]", "d", "d"),
        (
            "!FindInMap [!Sub 'Act${x}', dev, Name]",
            "?Fn::FindInMap",
            "!FindInMap [!Sub 'Act${x}', dev, Name]",
        ),
        ("!FindInMap [!Join ['', [Act, ions]], dev, Name]", "s3:*", "s3:*"),
    ]);
}

#[test]
fn lists() {
    check_expressions(&[
        ("!Select [1, [a, b, c]]", "b", "b"),
        ("!Select ['0', !Ref Names]", "a", "a"),
        ("{'Fn::Select': [2, !Ref Names]}", "c", "c"),
        ("!Select [0, !GetAZs '']", "${Fn::GetAZs}", "!Select [0, !GetAZs '']"),
        ("!Select [9, [a]]", "${Fn::Select}", "!Select [9, [a]]"),
        ("!Select [0, !Ref Subnets]", "${Subnets}", "!Select [0, !Ref Subnets]"),
        (
            "!Select [1, [!If [IsProd, a, !Ref AWS::NoValue], b]]",
            "${Fn::Select}",
            "!Select [1, [!If [IsProd, a, !Ref AWS::NoValue], b]]",
        ),
        ("!Split ['|', 'a|b|c']", "[a, b, c]", "[a, b, c]"),
        ("!Split ['|', 'a||c|']", "[a, , c, ]", "[a, , c, ]"),
        ("!Split [',', !Ref Env]", "[dev]", "[dev]"),
        ("!Split [':', !Ref Name]", "?Name", "!Split [':', !Ref Name]"),
        (
            "!Split ['/', !Sub '${AWS::AccountId}/x']",
            "[${AWS::AccountId}, x]",
            "[${AWS::AccountId}, x]",
        ),
        ("!Select [1, !Split ['/', 'a/b']]", "b", "b"),
        ("!GetAZs ''", "?Fn::GetAZs", "!GetAZs ''"),
        (
            "{'Fn::GetAZs': !Ref AWS::Region}",
            "?Fn::GetAZs",
            "{'Fn::GetAZs': !Ref AWS::Region}",
        ),
        (
            "!Cidr [10.0.0.0/16, 2, 8]",
            "[10.0.0.0/24, 10.0.1.0/24]",
            "[!Cidr [10.0.0.0/16, 2, 8], !Cidr [10.0.0.0/16, 2, 8]]",
        ),
        (
            "!Select [0, !Cidr [192.168.0.0/24, 6, 5]]",
            "192.168.0.0/27",
            "!Cidr [192.168.0.0/24, 6, 5]",
        ),
        (
            "!Select [1, !Cidr ['2001:db8::/56', '2', '64']]",
            "2001:db8:0:1::/64",
            "!Cidr ['2001:db8::/56', '2', '64']",
        ),
        ("!Cidr [10.0.0.0/30, 9, 8]", "?Fn::Cidr", "!Cidr [10.0.0.0/30, 9, 8]"),
        ("!Cidr [!Ref Name, 2, 8]", "?Name", "!Cidr [!Ref Name, 2, 8]"),
        ("{'Fn::Length': [a, b, c]}", "3", "{'Fn::Length': [a, b, c]}"),
        ("{'Fn::Length': !Ref Names}", "3", "{'Fn::Length': !Ref Names}"),
        (
            "{'Fn::Length': !Ref Subnets}",
            "?Fn::Length",
            "{'Fn::Length': !Ref Subnets}",
        ),
        ("!Base64 plain", "plain", "plain"),
        ("{'Fn::Base64': !Sub 'x ${Env}'}", "x dev", "x |${Env}"),
        ("{'Fn::ToJsonString': {a: !Ref Env}}", "json({a: dev})", "{a: dev}"),
        ("!ImportValue shared-role", "${shared-role}", "!ImportValue shared-role"),
        (
            "{'Fn::ImportValue': !Sub '${Env}-role'}",
            "${dev-role}",
            "{'Fn::ImportValue': !Sub '${Env}-role'}",
        ),
        ("!Unheard x", "?Fn::Unheard", "!Unheard x"),
        ("{'Fn::Transform': {Name: Macro}}", "?Macro", "{Name: Macro}"),
    ]);
}

#[test]
fn dynamic_references_are_no_literals() {
    check_expressions(&[
        (
            "'{{resolve:secretsmanager:db:SecretString:password}}'",
            "${resolve:secretsmanager}",
            "{{resolve:secretsmanager:db:SecretString:password}}",
        ),
        (
            "!Sub 'user:{{resolve:ssm-secure:${Name}:1}}@host'",
            "user:${resolve:ssm-secure}@host",
            "user:|{{resolve:ssm-secure:${Name}:1}}|@host",
        ),
        (
            "'{{resolve:ssm:/a}}{{resolve:ssm:/b}}'",
            "${resolve:ssm}${resolve:ssm}",
            "{{resolve:ssm:/a}}|{{resolve:ssm:/b}}",
        ),
        ("'{{resolve:ssm:/a'", "{{resolve:ssm:/a", "{{resolve:ssm:/a"),
        // What Jinja or Helm will fill in.
        ("'{{other}}'", "${other}", "{{other}}"),
        ("'arn:{{ a.b }}/*'", "arn:${a.b}/*", "arn:|{{ a.b }}|/*"),
        (r#"'{{"a": 1}}'"#, r#"{{"a": 1}}"#, r#"{{"a": 1}}"#),
    ]);
}
