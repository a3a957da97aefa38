//! Damaged templates and services: no panic, no endless work, and every place lies in its file on character borders.

use overgrant::internals::formats::Format as _;
use overgrant::internals::formats::cloudformation::CloudFormation;
use overgrant::internals::formats::serverless::Serverless;
use overgrant::internals::model::LoweredUnit;
use overgrant::internals::source::{Piece, Sources, Span, Text};
use overgrant::internals::value::{Value, ValueKind};

const TEMPLATE: &str = r#"Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters:
  Names: {Type: CommaDelimitedList, Default: "ä, b"}
Mappings: {M: {a: {b: "ünï"}}}
Conditions: {C: !Not [!Equals [!Ref Names, x]], D: !Condition C}
Globals: {Function: {Tracing: Active, Environment: {Variables: {A: "é"}}}}
Resources:
  Fn::ForEach::Loop:
    - Id
    - !Ref Names
    - "Topic${Id}": {Type: AWS::SNS::Topic, Properties: {Name: !Sub "${Id}-ß-${!x}"}}
  Role:
    Type: AWS::IAM::Role
    Condition: D
    Properties:
      AssumeRolePolicyDocument: !Sub |
        {"Statement": [{"Effect": "Allow",
          "Principal": {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}, "Action": "sts:AssumeRole"}]}
      Path: !Join ['/', [ö, !If [C, !FindInMap [M, a, b], !Ref AWS::NoValue], !Select [0, !Split [',', "ä,b"]]]]
      Secret: "x{{resolve:ssm:/ä}}y"
      Alias: &a {Fn::GetAtt: [Role, Arn]}
      Again: *a
  Fun:
    Type: AWS::Serverless::Function
    Properties:
      Handler: ä.b
      Policies: [AdministratorAccess, {SQSPollerPolicy: {QueueName: !Sub "ü${Role}"}}, {Statement: [{Effect: Allow}]}]
      Events: {E: {Type: Api, Properties: {Path: "/ß", Method: get}}}
"#;

const SERVICE: &str = r##"service: ß
provider: {name: aws, stage: "${opt:stage, 'ä'}", iamRoleStatements: [{Effect: Allow, Action: "${self:custom.a}:*", Resource: '*'}]}
custom: {a: s3, b: "${self:custom.a}-ü-${self:custom.${self:custom.a}, 'ö'}"}
functions:
  f: {handler: "${self:custom.b}", environment: {A: "#{AWS::Region}ä", B: "${file(x.yml):a}"}}
resources: {Resources: {T: {Type: AWS::SNS::Topic, Properties: {N: !Sub "${self:service}${T}"}}}}
"##;

#[test]
fn truncated_anywhere() {
    for (path, text) in [("t.yaml", TEMPLATE), ("serverless.yml", SERVICE)] {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)).step_by(5) {
            sound_units(path, &text[..end]);
        }
    }
}

#[test]
fn characters_changed() {
    let marks = [
        '{',
        '}',
        '[',
        ']',
        '"',
        '\'',
        ':',
        '$',
        '!',
        '&',
        '*',
        '\n',
        ' ',
        '\u{0}',
        'ß',
        '\u{1F600}',
        ',',
    ];
    let mut seed = 7usize;
    for (path, text) in [("t.yaml", TEMPLATE), ("serverless.yml", SERVICE)] {
        let chars: Vec<char> = text.chars().collect();
        for _ in 0..600 {
            let mut changed = chars.clone();
            for _ in 0..3 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) % changed.len();
                changed[at] = marks[(seed >> 20) % marks.len()];
            }
            sound_units(path, &changed.into_iter().collect::<String>());
        }
    }
}

#[test]
fn other_line_ends_and_marks() {
    for (path, text) in [("t.yaml", TEMPLATE), ("serverless.yml", SERVICE)] {
        let whole = resource_count(path, text);
        assert!(whole > 2);
        assert_eq!(resource_count(path, &text.replace('\n', "\r\n")), whole);
        assert_eq!(resource_count(path, &format!("\u{feff}{text}")), whole);
        assert_eq!(resource_count(path, text.trim_end()), whole);
    }
}

fn resource_count(path: &str, text: &str) -> usize {
    sound_units(path, text).iter().map(|u| u.resources.len()).sum()
}

fn sound_units(path: &str, text: &str) -> Vec<LoweredUnit> {
    let sources = Sources::from_strings(&[(path, text)]);
    let ids: Vec<_> = sources.ids().collect();
    let units = if path == "t.yaml" {
        CloudFormation.lower(&sources, &ids)
    } else {
        Serverless.lower(&sources, &ids)
    };
    for unit in &units {
        for resource in &unit.resources {
            span(&sources, resource.header);
            span(&sources, resource.extent);
            check_value_spans(&sources, &resource.props);
        }
        for problem in &unit.problems {
            assert!(!problem.message.contains("please report"), "{text}");
            span(&sources, problem.span);
        }
    }
    units
}

fn span(sources: &Sources, span: Span) {
    let text = sources.text(span.file);
    assert!(text.get(span.range()).is_some(), "{span:?} in {text}");
}

fn check_value_spans(sources: &Sources, v: &Value) {
    span(sources, v.span);
    match &v.kind {
        ValueKind::Str(t) => check_text(sources, t),
        ValueKind::Seq(items) => items.iter().for_each(|i| check_value_spans(sources, i)),
        ValueKind::Map(entries) => {
            for e in entries.iter() {
                span(sources, e.key_span);
                check_text(sources, &e.key);
                check_value_spans(sources, &e.value);
            }
        }
        ValueKind::OneOf(branches) => branches.iter().for_each(|b| check_value_spans(sources, &b.value)),
        ValueKind::Json(inner) => check_value_spans(sources, inner),
        ValueKind::Unknown(hole) => span(sources, hole.span),
        ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) => {}
    }
}

fn check_text(sources: &Sources, text: &Text) {
    for piece in text.pieces() {
        match piece {
            Piece::Hole(hole) => span(sources, hole.span),
            Piece::Lit(lit) => {
                // A repair puts as many spaces as a broken part has bytes.
                for (i, c) in lit.text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
                    if let Some(s) = lit.map.span_of(i..i + c.len_utf8()) {
                        span(sources, s);
                    }
                }
            }
        }
    }
}
