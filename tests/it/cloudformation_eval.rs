//! CloudFormation expressions: what they amount to, and where each part is written.
//!
//! Expected values are those of the CloudFormation Template Reference ("Intrinsic function reference") and of the SAM
//! Developer Guide.

use overgrant::formats::Lower;
use overgrant::formats::cloudformation::CloudFormation;
use overgrant::model::{Resource, Unit};
use overgrant::source::{Piece, Sources, Text};
use overgrant::value::{Kind, Value};

/// Everything that the files say, one unit for each file.
pub(crate) fn lower(files: &[(&str, &str)]) -> (Sources, Vec<Unit>) {
    let sources = Sources::from_strings(files);
    let ids: Vec<_> = sources.ids().collect();
    let units = CloudFormation.lower(&sources, &ids);
    (sources, units)
}

pub(crate) fn find<'u>(units: &'u [Unit], name: &str) -> &'u Resource {
    units
        .iter()
        .flat_map(|u| &u.resources)
        .find(|r| &*r.address.name == name)
        .unwrap_or_else(|| panic!("no resource {name}"))
}

/// A value in one line: texts as they display, alternatives with their conditions, unknown values as `?name`.
pub(crate) fn show(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Num(n) => n.to_string(),
        Kind::Str(t) => t.display(),
        Kind::Seq(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let entries = entries
                .iter()
                .map(|e| format!("{}: {}", e.key.display(), show(&e.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Kind::Json(inner) => format!("json({})", show(inner)),
        Kind::OneOf(branches) => {
            let branches = branches.iter().map(|b| format!("{}: {}", b.label, show(&b.value)));
            format!("<{}>", branches.collect::<Vec<_>>().join(" | "))
        }
        Kind::Unknown(hole) => format!("?{}", hole.name),
    }
}

/// Where each part of a value is written, as the source has it: the pieces of texts between `|`.
pub(crate) fn written(sources: &Sources, value: &Value) -> String {
    match &value.kind {
        Kind::Str(text) => pieces(sources, text),
        Kind::Seq(items) => {
            let items = items.iter().map(|v| written(sources, v));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Kind::Map(entries) => {
            let entries = entries
                .iter()
                .map(|e| format!("{}: {}", sources.slice(e.key_span), written(sources, &e.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Kind::Json(inner) => written(sources, inner),
        Kind::OneOf(branches) => {
            let branches = branches.iter().map(|b| written(sources, &b.value));
            format!("<{}>", branches.collect::<Vec<_>>().join(" | "))
        }
        Kind::Null | Kind::Bool(_) | Kind::Num(_) | Kind::Unknown(_) => sources.slice(value.span).to_owned(),
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

/// Evaluates `expression` inside [`TEMPLATE`] and compares what it is and where its parts are written.
fn case(expression: &str, expected: &str, places: &str) {
    let text = format!("{TEMPLATE}{expression}\n");
    let (sources, units) = lower(&[("t.yaml", &text)]);
    assert!(units[0].problems.is_empty(), "{expression}: {:?}", units[0].problems);
    let test = find(&units, "Test");
    let value = test.get("P");
    let shown = value.map_or_else(|| "absent".to_owned(), show);
    assert_eq!(shown, expected, "value of {expression}");
    let slices = value.map_or_else(String::new, |v| written(&sources, v));
    assert_eq!(slices, places, "places of {expression}");
}

#[test]
fn reference() {
    case("!Ref Bucket", "${Bucket}", "!Ref Bucket");
    case("{Ref: Bucket}", "${Bucket}", "{Ref: Bucket}");
    case("!Ref Name", "${Name}", "!Ref Name");
    case("!Ref Env", "dev", "dev");
    case("!Ref Empty", "${Empty}", "!Ref Empty");
    case("!Ref Only", "single", "single");
    case("!Ref Secret", "${Secret}", "!Ref Secret");
    case("!Ref Stored", "${Stored}", "!Ref Stored");
    case("!Ref Names", "[a, b, c]", "[a, b, c]");
    case("!Ref Subnets", "?Subnets", "!Ref Subnets");
    case("!Ref AWS::AccountId", "${AWS::AccountId}", "!Ref AWS::AccountId");
    case("{Ref: 'AWS::Region'}", "${AWS::Region}", "{Ref: 'AWS::Region'}");
    case("!Ref AWS::NoValue", "absent", "");
    case("[a, !Ref AWS::NoValue, b]", "[a, b]", "[a, b]");
    case("!Ref Nowhere", "${Nowhere}", "!Ref Nowhere");
}

#[test]
fn attributes() {
    case("!GetAtt Role.Arn", "${Role.Arn}", "!GetAtt Role.Arn");
    case("!GetAtt [Role, Arn]", "${Role.Arn}", "!GetAtt [Role, Arn]");
    case("{Fn::GetAtt: [Role, Arn]}", "${Role.Arn}", "{Fn::GetAtt: [Role, Arn]}");
    case("{'Fn::GetAtt': Role.Arn}", "${Role.Arn}", "{'Fn::GetAtt': Role.Arn}");
    case(
        "!GetAtt [Bucket, !Ref Env]",
        "${Bucket.dev}",
        "!GetAtt [Bucket, !Ref Env]",
    );
}
