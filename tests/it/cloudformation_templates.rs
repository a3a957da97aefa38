//! Whole templates: loops, includes, nested stacks, exports, what is emitted for each section.

use overgrant::internals::formats::cloudformation::CloudFormation;
use overgrant::internals::source::HoleKind;

use crate::cloudformation_eval::{find, show, written};
use crate::support::lint::lower;

#[test]
fn resources_carry_names_places_and_conditions() {
    let text = r#"AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Key: {Type: String, NoEcho: true, Default: x}
Conditions:
  IsProd: !Equals [!Ref AWS::Region, eu-west-1]
Resources:
  Role:
    Type: AWS::IAM::Role
    Condition: IsProd
    Metadata: {overgrant: {ignore: [{id: a-rule}]}}
    Properties:
      RoleName: !If [IsProd, one, two]
  "Quoted":
    Type: AWS::S3::Bucket
Outputs:
  Arn:
    Value: !GetAtt Role.Arn
    Export: {Name: !Sub "${AWS::StackName}-arn"}
"#;
    let (sources, units) = lower(&CloudFormation, &[("t.yaml", text)]);
    let role = find(&units, "Role");
    assert_eq!(&*role.kind, "AWS::IAM::Role");
    assert_eq!(sources.slice(role.header), "Role");
    assert!(sources.slice(role.extent).starts_with(
        r"Role:
    Type"
    ));
    assert!(sources.slice(role.extent).ends_with("one, two]"));
    assert_eq!(role.branch.as_ref().map(|when| when.label()), Some("if IsProd"));
    assert_eq!(show(role.get("RoleName").unwrap()), "one");
    let metadata = show(role.metadata.as_ref().unwrap());
    assert_eq!(metadata, "{overgrant: {ignore: [{id: a-rule}]}}");
    let bucket = find(&units, "Quoted");
    assert_eq!(sources.slice(bucket.header), r#""Quoted""#);
    assert_eq!(show(&bucket.props), "{}");
    let parameter = find(&units, "Key");
    assert_eq!(&*parameter.kind, overgrant::internals::model::kinds::PARAMETER);
    assert_eq!(
        show(&parameter.props),
        "{Name: Key, Type: String, NoEcho: true, Default: x}"
    );
    let output = find(&units, "Outputs.Arn");
    assert_eq!(&*output.kind, overgrant::internals::model::kinds::OUTPUT);
    assert_eq!(
        show(&output.props),
        "{Name: Arn, Value: ${Role.Arn}, Export: ${AWS::StackName}-arn}"
    );
}

#[test]
fn references_name_their_target() {
    let text = r"Resources:
  R: {Type: AWS::IAM::Role}
  P: {Type: AWS::IAM::Policy, Properties: {Roles: [!Ref R], Arn: !GetAtt R.Arn}}
";
    let (_, units) = lower(&CloudFormation, &[("dir/t.yaml", text)]);
    let policy = find(&units, "P");
    let hole = policy.get("Roles").unwrap().as_seq().unwrap()[0]
        .as_hole()
        .unwrap()
        .clone();
    assert_eq!(hole.kind, HoleKind::Resource);
    let target = hole.target.unwrap();
    assert_eq!(
        (&*target.scope, &*target.address, &*target.attribute),
        ("dir/t.yaml", "R", "")
    );
    let target = policy.get("Arn").unwrap().as_hole().unwrap().target.clone().unwrap();
    assert_eq!((&*target.address, &*target.attribute), ("R", "Arn"));
}

#[test]
fn json_templates_read_like_yaml() {
    let text = r#"{"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {
        "A": {"Fn::Sub": "arn:${AWS::Partition}:s3:::x"},
        "B": {"Fn::Join": ["", ["s3", ":", "*"]]},
        "C": {"Fn::GetAtt": ["R", "Arn"]},
        "D": "a\u0062c"}}}}"#;
    let (sources, units) = lower(&CloudFormation, &[("t.json", text)]);
    assert!(units[0].problems.is_empty());
    let r = find(&units, "R");
    assert_eq!(sources.slice(r.header), r#""R""#);
    assert_eq!(
        show(&r.props),
        "{A: arn:${AWS::Partition}:s3:::x, B: s3:*, C: ${R.Arn}, D: abc}"
    );
    assert_eq!(
        written(&sources, &r.props),
        r#"{"A": arn:|${AWS::Partition}|:s3:::x, "B": s3|:|*, "C": {"Fn::GetAtt": ["R", "Arn"]}, "D": a\u0062c}"#
    );
}

#[test]
fn loops_repeat_what_they_hold() {
    let text = r#"Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "one,t-wo"}
Mappings:
  Places: {dev: {Hosts: [h1, h2]}}
Resources:
  Fn::ForEach::Buckets:
    - Id
    - !Ref Names
    - "Bucket&{Id}":
        Type: AWS::S3::Bucket
        Properties:
          BucketName: !Sub "${Id}-data"
          Plain: "x-${Id}"
          Fn::ForEach::Tags:
            - Tag
            - [A, B]
            - "Tag${Tag}": !Ref Tag
  Fn::ForEach::Hosts:
    - Host
    - !FindInMap [Places, dev, Hosts]
    - "Host${Host}": {Type: AWS::Test::Host, Properties: {Name: !Ref Host, Arn: !GetAtt "Host${Host}.Arn"}}
  Fn::ForEach::Open:
    - Zone
    - !GetAZs ''
    - "Zone${Zone}": {Type: AWS::Test::Zone, Properties: {Name: !Ref Zone}}
"#;
    let (sources, units) = lower(&CloudFormation, &[("t.yaml", text)]);
    let one = find(&units, "Bucketone");
    assert_eq!(
        show(&one.props),
        "{BucketName: one-data, Plain: x-one, TagA: A, TagB: B}"
    );
    assert_eq!(sources.slice(one.header), r#""Bucket&{Id}""#);
    assert_eq!(written(&sources, one.get("BucketName").unwrap()), "${Id}|-data");
    assert_eq!(show(find(&units, "Buckettwo").get("BucketName").unwrap()), "t-wo-data");
    assert_eq!(show(&find(&units, "Hosth2").props), "{Name: h2, Arn: ${Hosth2.Arn}}");
    assert_eq!(show(&find(&units, "Zone${Zone}").props), "{Name: ${Zone}}");
}

#[test]
fn includes_that_are_files_are_read() {
    let template = r#"Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      Own: 1
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: ./parts/role.yaml}}
  S:
    Type: AWS::S3::Bucket
    Properties: !Transform {Name: AWS::Include, Parameters: {Location: parts/role.yaml}}
  Fn::Transform:
    Name: AWS::Include
    Parameters: {Location: ../more.json}
  Gone:
    Type: AWS::S3::Bucket
    Properties: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: gone.yaml}}}
  Remote:
    Type: AWS::S3::Bucket
    Properties: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/x.yaml}}}
"#;
    let (sources, units) = lower(
        &CloudFormation,
        &[
            ("a/t.yaml", template),
            ("a/parts/role.yaml", r#"RoleName: !Sub "${AWS::StackName}-x""#),
            ("more.json", r#"{"More": {"Type": "AWS::SNS::Topic"}}"#),
        ],
    );
    let r = find(&units, "R");
    assert_eq!(show(&r.props), "{Own: 1, RoleName: ${AWS::StackName}-x}");
    let name = r.get("RoleName").unwrap();
    assert_eq!(sources.path(name.span.file), "a/parts/role.yaml");
    assert_eq!(show(&find(&units, "S").props), "{RoleName: ${AWS::StackName}-x}");
    let more = find(&units, "More");
    assert_eq!(sources.path(more.header.file), "more.json");
    assert!(units.iter().any(|u| u.wanted == ["a/gone.yaml"]));
    assert!(find(&units, "Gone").props.is_unknown());
    assert!(find(&units, "Remote").props.is_unknown());
}

#[test]
fn nested_stacks_get_their_parameters_and_give_their_outputs() {
    let parent = r#"Resources:
  Role: {Type: AWS::IAM::Role}
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./nested/child.yaml
      Parameters: {Action: "s3:*", RoleArn: !GetAtt Role.Arn, Stage: prod}
  User:
    Type: AWS::Test::User
    Properties: {Topic: !GetAtt Child.Outputs.Topic, Twice: !Sub "${Child.Outputs.Action}"}
  Missing: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: missing.yaml}}
"#;
    let child = r#"Parameters:
  Action: {Type: String, Default: s3:Get*}
  RoleArn: {Type: String}
  Stage: {Type: String, Default: dev}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {Name: !If [IsProd, big, small], Owner: !Ref RoleArn, Action: !Ref Action}}
Outputs:
  Topic: {Value: !Ref Topic}
  Action: {Value: !Ref Action}
"#;
    let (sources, units) = lower(&CloudFormation, &[("t.yaml", parent), ("nested/child.yaml", child)]);
    let topic = find(&units, "Topic");
    assert_eq!(show(&topic.props), "{Name: big, Owner: ${Role.Arn}, Action: s3:*}");
    let owner = topic.get("Owner").unwrap().as_hole().unwrap().target.clone().unwrap();
    assert_eq!((&*owner.scope, &*owner.address), ("t.yaml", "Role"));
    let action = topic.get("Action").unwrap();
    assert_eq!(sources.slice(action.span), r#""s3:*""#);
    assert_eq!(sources.path(action.span.file), "t.yaml");
    assert_eq!(sources.slice(action.via.as_ref().unwrap().span), "!Ref Action");
    let user = find(&units, "User");
    let topic = user.get("Topic").unwrap().as_hole().unwrap().target.clone().unwrap();
    assert_eq!((&*topic.scope, &*topic.address), ("nested/child.yaml", "Topic"));
    assert_eq!(show(user.get("Twice").unwrap()), "s3:*");
    assert!(units.iter().any(|u| u.wanted == ["missing.yaml"]));
}

#[test]
fn stacks_that_nest_each_other_end() {
    let text = |other: &str| {
        format!(
            r"Parameters: {{P: {{Type: String}}}}
Resources:
  S:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: {other}, Parameters: {{P: !GetAtt S.Outputs.O}}}}
Outputs: {{O: {{Value: !GetAtt S.Outputs.O}}}}
"
        )
    };
    let (_, units) = lower(
        &CloudFormation,
        &[
            ("a.yaml", &text("b.yaml")),
            ("b.yaml", &text("a.yaml")),
            ("c.yaml", &text("c.yaml")),
        ],
    );
    assert_eq!(units.iter().map(|u| u.resources.len()).sum::<usize>(), 9);
}

#[test]
fn exports_reach_their_importers() {
    let exporter = r"Resources: {Role: {Type: AWS::IAM::Role}}
Outputs: {R: {Value: !GetAtt Role.Arn, Export: {Name: shared-role}}}
";
    let importer = "Resources: {F: {Type: AWS::Test::F, Properties: {Role: !ImportValue shared-role, Other: !ImportValue other}}}\n";
    let (_, units) = lower(&CloudFormation, &[("a.yaml", exporter), ("b.yaml", importer)]);
    let f = find(&units, "F");
    let hole = f.get("Role").unwrap().as_hole().unwrap().clone();
    assert_eq!(
        (hole.kind, &*hole.target.unwrap().scope),
        (HoleKind::Resource, "a.yaml")
    );
    assert_eq!(f.get("Other").unwrap().as_hole().unwrap().kind, HoleKind::Outside);
}

#[test]
fn exports_named_by_parameters_reach_their_importers() {
    let exporter = |name: &str| {
        format!(
            r"Parameters: {{Env: {{Type: String, Default: dev}}, Other: {{Type: String}}}}
Resources: {{Role: {{Type: AWS::IAM::Role}}}}
Outputs: {{R: {{Value: !GetAtt Role.Arn, Export: {{Name: {name}}}}}}}
"
        )
    };
    let importer = |name: &str| {
        format!(
            r"Parameters: {{Stage: {{Type: String}}, Stack: {{Type: String}}, Dev: {{Type: String, Default: dev}}}}
Resources: {{F: {{Type: AWS::Test::F, Properties: {{Role: {{'Fn::ImportValue': {name}}}}}}}}}
"
        )
    };
    let cases = [
        ("!Sub '${Env}-role'", "!Sub '${Stage}-role'", true),
        ("!Sub '${Other}-role'", "!Sub '${Stage}-role'", true),
        ("!Sub '${Env}-role'", "!Sub '${Dev}-role'", true),
        ("!Join ['-', [!Ref Other, role]]", "!Sub '${Stage}-role'", true),
        ("!Sub '${AWS::StackName}-role'", "!Sub '${Stack}-role'", true),
        (
            "!Sub '${AWS::Region}-${Env}-role'",
            "!Sub '${AWS::Region}-${Stage}-role'",
            true,
        ),
        ("!Sub '${AWS::Region}-role'", "!Sub '${AWS::AccountId}-role'", false),
        ("!Sub '${Other}-role'", "!Sub '${Stage}-user'", false),
        ("!Sub '${Other}-role'", "other-role", false),
        // Nothing but a parameter says nothing.
        ("!Ref Other", "!Ref Stage", false),
    ];
    for (export, import, linked) in cases {
        let (_, units) = lower(
            &CloudFormation,
            &[("a.yaml", &exporter(export)), ("b.yaml", &importer(import))],
        );
        let hole = find(&units, "F").get("Role").unwrap().as_hole().unwrap().clone();
        let target = hole.target.map(|t| t.scope.to_string());
        assert_eq!(
            target.as_deref() == Some("a.yaml"),
            linked,
            "{export} {import} {target:?}"
        );
    }
    // Which of two is meant, no one can tell.
    let (_, units) = lower(
        &CloudFormation,
        &[
            ("a.yaml", &exporter("!Sub '${Other}-role'")),
            ("c.yaml", &exporter("!Sub '${Other}-role'")),
            ("b.yaml", &importer("!Sub '${Stage}-role'")),
        ],
    );
    let hole = find(&units, "F").get("Role").unwrap().as_hole().unwrap().clone();
    assert_eq!(hole.kind, HoleKind::Outside);
}

#[test]
fn braces_of_a_templating_language_are_unknown() {
    let text = r"Resources:
  A:
    Type: AWS::Test::A
    Properties:
      Name: {{ name }}
      Plain: {a: b}
";
    let (sources, units) = lower(&CloudFormation, &[("t.yaml", text)]);
    let name = find(&units, "A").get("Name").unwrap();
    assert!(name.is_unknown(), "{name:?}");
    assert_eq!(sources.slice(name.span), "{{ name }}");
    assert!(find(&units, "A").path(&["Plain", "a"]).is_some());
}

#[test]
fn loops_that_multiply_end_and_say_so() {
    let numbers: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    let numbers = numbers.join(", ");
    let each = |name: &str, body: &str| format!("{{'Fn::ForEach::{name}': [{name}, [{numbers}], {body}]}}");
    let body = each("A", &each("B", &each("C", "{'R${A}x${B}x${C}': {Type: AWS::Test::A}}")));
    let text = format!(
        r"Transform: AWS::LanguageExtensions
Resources: {body}
"
    );
    let (_, units) = lower(&CloudFormation, &[("t.yaml", &text)]);
    assert!(!units[0].resources.is_empty());
    assert!(
        units[0]
            .problems
            .iter()
            .any(|p| p.message.contains("too much to evaluate"))
    );
}

#[test]
fn anchors_and_several_documents() {
    let text = r#"Resources:
  A:
    Type: AWS::Test::A
    Properties: &props {Name: !Ref AWS::Region, Size: 1}
  B:
    Type: AWS::Test::B
    Properties: {<<: *props, Size: 2}
  C:
    Type: AWS::Test::C
    Properties: *props
---
Resources: {D: {Type: AWS::Test::D}}
---
not: a template
"#;
    let (_, units) = lower(&CloudFormation, &[("t.yaml", text)]);
    assert_eq!(show(&find(&units, "B").props), "{Size: 2, Name: ${AWS::Region}}");
    assert_eq!(show(&find(&units, "C").props), "{Name: ${AWS::Region}, Size: 1}");
    assert_eq!(&*find(&units, "D").address.scope, "t.yaml#2");
    assert_eq!(units.len(), 1);
}

#[test]
fn policy_text_keeps_its_places() {
    let text = r#"Resources:
  P:
    Type: AWS::IAM::Policy
    Properties:
      PolicyDocument: !Sub |
        {"Statement": [{"Effect": "Allow",
          "Action": "s3:*", "Resource": "${P}"}]}
"#;
    let (sources, units) = lower(&CloudFormation, &[("t.yaml", text)]);
    let document = find(&units, "P").get("PolicyDocument").unwrap();
    let body = document.as_text().unwrap();
    let flat = body.with_placeholders().into_owned();
    let at = flat.find(r#""s3:*""#).unwrap();
    assert_eq!(sources.slice(body.span_of(at..at + 6).unwrap()), r#""s3:*""#);
}

#[test]
fn every_entry_is_an_extent_where_comments_ask_for_it() {
    let text = r"# overgrant: ignore[x] -- y
Resources:
  A:
    Type: AWS::Test::A
    Properties: {L: [one, two]}
";
    let (sources, units) = lower(&CloudFormation, &[("t.yaml", text)]);
    let slices: Vec<&str> = units[0].extents.iter().map(|s| sources.slice(*s)).collect();
    assert!(slices.contains(&"Type: AWS::Test::A"));
    assert!(slices.contains(&"one"));
    assert!(slices.contains(&"L: [one, two]"));
    let (_, units) = lower(&CloudFormation, &[("t.yaml", &text[text.find("Resources").unwrap()..])]);
    assert!(units[0].extents.is_empty());
}

#[test]
fn bombs_are_bounded() {
    let mut loops = String::from("Resources:\n");
    let items: Vec<String> = (0..400).map(|i| format!("i{i}")).collect();
    let list = items.join(", ");
    loops.push_str(&format!(
        r#"  Fn::ForEach::A:
    - A
    - [{list}]
    - Fn::ForEach::B:
        - B
        - [{list}]
        - "R${{A}}${{B}}": {{Type: AWS::Test::R, Properties: {{N: !Ref A}}}}
"#
    ));
    let mut conditions = String::from(
        r"Conditions:
  C0: !Equals [!Ref P, x]
Parameters: {P: {Type: String}}
",
    );
    for i in 1..60 {
        conditions.push_str(
            &format!("  C{i}: !And [!Condition C{}, !Condition C{}]\n", i - 1, i - 1).replace(
                r"
  C", r"
  C",
            ),
        );
    }
    let conditions = conditions.replace("Parameters: {P: {Type: String}}\n", "");
    let conditions = format!(
        r"{conditions}Parameters: {{P: {{Type: String}}}}
Resources: {{R: {{Type: AWS::Test::R, Properties: {{V: !If [C59, a, b]}}}}}}
"
    );
    let deep = format!(
        "Resources: {{R: {{Type: AWS::Test::R, Properties: {}x{}}}}}",
        "[".repeat(300),
        "]".repeat(300)
    );
    let long = "x".repeat(100_000);
    let sub = format!(
        r"Parameters: {{L: {{Type: String, Default: {long}}}}}
Resources: {{R: {{Type: AWS::Test::R, Properties: {{V: !Sub '{}'}}}}}}
",
        "${L}".repeat(5_000)
    );
    let (_, units) = lower(
        &CloudFormation,
        &[
            ("a.yaml", &loops),
            ("b.yaml", &conditions),
            ("c.yaml", &deep),
            ("d.yaml", &sub),
        ],
    );
    assert!(units[0].resources.len() < 160_000);
    assert_eq!(
        show(find(&units[1..2], "R").get("V").unwrap()),
        "<if C59: a | unless C59: b>"
    );
    let length = find(&units[3..], "R").get("V").unwrap().as_text().unwrap().len();
    assert!(length < 100_000_000, "{length}");
}

#[test]
fn event_bus_policies_are_statements() {
    let text = r#"Resources:
  New:
    Type: AWS::Events::EventBusPolicy
    Properties:
      StatementId: one
      Statement: {Effect: Allow, Principal: "*", Action: "events:PutEvents", Resource: "*"}
"#;
    let (sources, mut units) = lower(&CloudFormation, &[("t.yaml", text)]);
    overgrant::internals::formats::policies::lower(&mut units[0]);
    let documents = &units[0].documents;
    assert_eq!(documents.len(), 1);
    assert!(documents[0].defects.is_empty() && documents[0].service.as_deref() == Some("events"));
    let principal = &documents[0].statements[0].principal.as_ref().unwrap().items[0];
    assert_eq!(sources.slice(principal.value.span), r#""*""#);
}

#[test]
fn templates_inside_stacks_are_templates() {
    let text = r#"Resources:
  Set:
    Type: AWS::CloudFormation::StackSet
    Properties:
      TemplateBody: |
        Parameters: {P: {Type: String, Default: one}}
        Resources:
          Inner:
            Type: AWS::IAM::Role
            Properties: {RoleName: !Sub "${P}-ü", Arn: !GetAtt Inner.Arn}
  Json:
    Type: AWS::CloudFormation::StackSet
    Properties:
      TemplateBody: '{"Resources": {"Other": {"Type": "AWS::SNS::Topic", "Properties": {"N": {"Fn::Join": ["-", ["a", "b"]]}}}}}'
  Data:
    Type: AWS::CloudFormation::StackSet
    Properties:
      Parameters: {P: given}
      TemplateBody:
        Fn::ToJsonString:
          Parameters: {P: {Type: String}}
          Resources: {Third: {Type: AWS::SNS::Topic, Properties: {Name: "x"}}}
"#;
    let (sources, mut units) = lower(&CloudFormation, &[("t.yaml", text)]);
    overgrant::internals::formats::cloudformation::bodies(&sources, &mut units[0]);
    let inner = find(&units, "Inner");
    assert_eq!(&*inner.address.scope, "t.yaml#Set");
    assert_eq!(sources.slice(inner.header), "Inner");
    assert_eq!(show(&inner.props), "{RoleName: one-ü, Arn: ${Inner.Arn}}");
    assert_eq!(
        written(&sources, &inner.props),
        "{RoleName: ${P}|-ü, Arn: !GetAtt Inner.Arn}"
    );
    let other = find(&units, "Other");
    assert_eq!(sources.slice(other.header), r#""Other""#);
    assert_eq!(written(&sources, other.get("N").unwrap()), r#"a|"b"|b"#);
    assert_eq!(show(&find(&units, "Third").props), "{Name: x}");
}

/// Of two resources with one logical ID the last one is deployed; the other is said once.
#[test]
fn a_logical_id_that_is_declared_twice() {
    let group = |policy: &str| {
        format!(
            r"Type: AWS::IAM::Group
    Properties: {{ManagedPolicyArns: ['arn:aws:iam::aws:policy/{policy}']}}"
        )
    };
    let yaml = format!(
        r"Resources:
  G:
    {}
  G:
    {}
",
        group("AdministratorAccess"),
        group("ReadOnlyAccess")
    );
    let one = |policy: &str| {
        format!(
            r#""G": {{"Type": "AWS::IAM::Group", "Properties": {{"ManagedPolicyArns": ["arn:aws:iam::aws:policy/{policy}"]}}}}"#
        )
    };
    let json = format!(
        r#"{{"Resources": {{{}, {}}}}}"#,
        one("AdministratorAccess"),
        one("ReadOnlyAccess")
    );
    for (path, text) in [("t.yaml", &yaml), ("t.json", &json)] {
        let sources = overgrant::internals::source::Sources::from_strings(&[(path, text)]);
        let own = overgrant::internals::iam::Ownership::default();
        let project = overgrant::internals::pipeline::analyze(&sources, &own).project;
        assert_eq!(project.resources.len(), 1, "{path}");
        let messages: Vec<&str> = project.problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(
            messages,
            ["the logical ID `G` is declared again in this template: only the last declaration counts"]
        );
    }
}
