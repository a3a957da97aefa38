//! SAM resources as their translator makes them. Expected values: SAM Developer Guide, "Generated CloudFormation
//! resources for AWS SAM", and the translator's own output.

use overgrant::internals::formats::cloudformation::CloudFormation;
use overgrant::internals::iam::SourceFormat;
use overgrant::internals::model::{LoweredUnit, Resource};
use overgrant::internals::source::Sources;
use overgrant::internals::value::Value;

use crate::cloudformation_eval::{find, show, written};
use crate::support::lint::lower;

const HEAD: &str = "Transform: AWS::Serverless-2016-10-31\n";

fn lower_sam(body: &str) -> (Sources, Vec<LoweredUnit>) {
    let (sources, units) = lower(&CloudFormation, &[("template.yaml", &format!("{HEAD}{body}"))]);
    assert!(units[0].problems.is_empty(), "{:?}", units[0].problems);
    (sources, units)
}

/// The role of a function `F` with these properties (a flow map's inside).
fn function_role(properties: &str) -> (Sources, Resource) {
    let text = format!(
        r"Parameters:
  P: {{Type: String}}
Conditions:
  C: !Equals [!Ref P, x]
Resources:
  T: {{Type: AWS::DynamoDB::Table}}
  F:
    Type: AWS::Serverless::Function
    Properties: {{Handler: a.b, Runtime: python3.13, {properties}}}
"
    );
    let (sources, units) = lower_sam(&text);
    let role = find(&units, "FRole").clone();
    (sources, role)
}

fn property(resource: &Resource, name: &str) -> String {
    resource.get(name).map_or_else(|| "absent".to_owned(), show)
}

#[test]
fn a_function_without_a_role_gets_one() {
    let (sources, units) = lower_sam(
        r"Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.run, Runtime: python3.13, CodeUri: src/, Environment: {Variables: {A: b}}}
",
    );
    let function = find(&units, "F");
    assert_eq!(
        (&*function.kind, &*function.type_name),
        ("AWS::Lambda::Function", "AWS::Serverless::Function")
    );
    assert_eq!(function.format, SourceFormat::Sam);
    assert_eq!(property(function, "Role"), "${FRole.Arn}");
    assert_eq!(property(function, "Environment"), "{Variables: {A: b}}");
    assert_eq!(property(function, "CodeUri"), "src/");
    let role = find(&units, "FRole");
    assert_eq!(&*role.kind, "AWS::IAM::Role");
    assert_eq!(sources.slice(role.header), "F");
    assert_eq!(role.extent, function.extent);
    assert_eq!(
        property(role, "AssumeRolePolicyDocument"),
        "{Version: 2012-10-17, Statement: [{Effect: Allow, Action: [sts:AssumeRole], Principal: {Service: [lambda.amazonaws.com]}}]}"
    );
    let trust = role.get("AssumeRolePolicyDocument").unwrap();
    assert_eq!(sources.slice(trust.span), "F");
    assert_eq!(
        property(role, "GeneratedManagedPolicyArns"),
        "[arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
    );
    assert_eq!(property(role, "ManagedPolicyArns"), "absent");
    assert_eq!(property(function, "CodePaths"), "[src]");
}

#[test]
fn what_the_translator_adds() {
    let (_, role) = function_role(
        "Tracing: Active, VpcConfig: {SubnetIds: [s]}, Events: {Q: {Type: SQS, Properties: {Queue: q}}, R: {Type: SQS, Properties: {Queue: r}}, K: {Type: Kinesis, Properties: {Stream: k}}}",
    );
    let added = property(&role, "GeneratedManagedPolicyArns");
    let names: Vec<&str> = added
        .split(", ")
        .map(|a| a.rsplit('/').next().unwrap().trim_end_matches(']'))
        .collect();
    assert_eq!(
        names,
        [
            "AWSLambdaBasicExecutionRole",
            "AWSXrayWriteOnlyAccess",
            "AWSLambdaVPCAccessExecutionRole",
            "AWSLambdaSQSQueueExecutionRole",
            "AWSLambdaKinesisExecutionRole"
        ]
    );
}

/// `Policies` in each of its forms: the properties of the role, and where the policies' parts are written.
#[test]
fn policies_in_every_form() {
    let managed = |policies: &str, expected: &str, places: &str| {
        let (sources, role) = function_role(&format!("Policies: {policies}"));
        assert_eq!(property(&role, "ManagedPolicyArns"), expected, "{policies}");
        assert_eq!(
            written(&sources, role.get("ManagedPolicyArns").unwrap()),
            places,
            "{policies}"
        );
        assert_eq!(property(&role, "Policies"), "absent");
    };
    managed(
        "AdministratorAccess",
        "[arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess]",
        "[AdministratorAccess|AdministratorAccess|AdministratorAccess|AdministratorAccess]",
    );
    managed(
        "[AWSLambdaRole, 'arn:aws:iam::aws:policy/ReadOnlyAccess']",
        "[arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaRole, arn:aws:iam::aws:policy/ReadOnlyAccess]",
        "[AWSLambdaRole|AWSLambdaRole|AWSLambdaRole|AWSLambdaRole, arn:aws:iam::aws:policy/ReadOnlyAccess]",
    );
    managed("[!Ref P]", "[${P}]", "[!Ref P]");
    managed(
        "[!Sub 'arn:${AWS::Partition}:iam::aws:policy/Foo']",
        "[arn:${AWS::Partition}:iam::aws:policy/Foo]",
        "[arn:|${AWS::Partition}|:iam::aws:policy/Foo]",
    );
    managed(
        "[!If [C, arn:aws:iam::aws:policy/A, !Ref AWS::NoValue]]",
        "[<if C: arn:aws:iam::aws:policy/A>]",
        "[<arn:aws:iam::aws:policy/A>]",
    );
    managed(
        "!If [C, [arn:aws:iam::aws:policy/A], arn:aws:iam::aws:policy/B]",
        "[<if C: arn:aws:iam::aws:policy/A>, <unless C: arn:aws:iam::aws:policy/B>]",
        "[<arn:aws:iam::aws:policy/A>, <arn:aws:iam::aws:policy/B>]",
    );
    let inline = |policies: &str, expected: &str, places: &str| {
        let (sources, role) = function_role(&format!("Policies: {policies}"));
        assert_eq!(property(&role, "Policies"), expected, "{policies}");
        let documents: Vec<String> = role
            .get("Policies")
            .unwrap()
            .items()
            .iter()
            .map(|p| written(&sources, p.get("PolicyDocument").unwrap()))
            .collect();
        assert_eq!(documents.join("; "), places, "{policies}");
    };
    let statement = "{Effect: Allow, Action: 's3:*', Resource: '*'}";
    let shown = "{Effect: Allow, Action: s3:*, Resource: *}";
    let document = format!("{{Statement: [{shown}]}}");
    inline(
        &format!("{{Version: 2012-10-17, Statement: {statement}}}"),
        &format!("[{{PolicyName: FRolePolicy0, PolicyDocument: {{Version: 2012-10-17, Statement: {shown}}}}}]"),
        &format!("{{Version: 2012-10-17, Statement: {shown}}}"),
    );
    inline(
        &format!("[{{Statement: [{statement}]}}]"),
        &format!("[{{PolicyName: FRolePolicy0, PolicyDocument: {document}}}]"),
        &document,
    );
    inline(
        &format!("[!If [C, {{Statement: [{statement}]}}, !Ref AWS::NoValue]]"),
        &format!("[{{PolicyName: FRolePolicy0, PolicyDocument: <if C: {document}>}}]"),
        &format!("<{document}>"),
    );
    inline(
        &format!("[{{PolicyName: x, PolicyDocument: {{Statement: [{statement}]}}}}]"),
        &format!("[{{PolicyName: FRolePolicy0, PolicyDocument: {document}}}]"),
        &document,
    );
}

#[test]
fn policy_templates_are_expanded_at_their_names() {
    let (sources, role) = function_role(
        "Policies: [{DynamoDBReadPolicy: {TableName: !Ref T}}, {SQSPollerPolicy: {QueueName: jobs}}, {VPCAccessPolicy: {}}, {MadeUpPolicy: {}}]",
    );
    assert_eq!(property(&role, "ManagedPolicyArns"), "[?MadeUpPolicy]");
    let policies = role.get("Policies").unwrap().items();
    let names: Vec<_> = policies.iter().map(|p| show(p.get("SamTemplate").unwrap())).collect();
    assert_eq!(names, ["DynamoDBReadPolicy", "SQSPollerPolicy", "VPCAccessPolicy"]);
    let document = policies[0].get("PolicyDocument").unwrap();
    let statement = &document.get("Statement").unwrap().items()[0];
    assert_eq!(
        show(statement.get("Resource").unwrap()),
        "[arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${T}, arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${T}/index/*]"
    );
    let table = statement.get("Resource").unwrap().items()[0].as_text().unwrap().clone();
    assert!(
        table
            .holes()
            .any(|h| h.target.as_ref().is_some_and(|t| &*t.address == "T"))
    );
    every_part(&sources, document, "DynamoDBReadPolicy");
    let queue = policies[1].get("PolicyDocument").unwrap();
    assert!(show(queue).contains("sqs:${AWS::Region}:${AWS::AccountId}:jobs"));
    every_part(&sources, queue, "SQSPollerPolicy");
}

/// All of a value lies at one word of the source.
fn every_part(sources: &Sources, value: &Value, word: &str) {
    let places = written(sources, value);
    let mut words: Vec<&str> = places
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    words.dedup();
    assert_eq!(words, [word]);
}

#[test]
fn every_policy_template_expands_with_its_parameters() {
    let mut count = 0;
    for name in overgrant::internals::iam::catalogue().sam_templates() {
        let template = overgrant::internals::iam::catalogue().sam_template(name).unwrap();
        let template: serde_json::Value = serde_json::from_str(template).unwrap();
        let parameters: Vec<&String> = template["Parameters"].as_object().unwrap().keys().collect();
        let given: Vec<String> = parameters.iter().map(|p| format!("{p}: given-{p}")).collect();
        let (_, role) = function_role(&format!("Policies: [{{{name}: {{{}}}}}]", given.join(", ")));
        let policy = &role.get("Policies").unwrap().items()[0];
        assert_eq!(show(policy.get("SamTemplate").unwrap()), name);
        let document = policy.get("PolicyDocument").unwrap();
        let written = template["Definition"]["Statement"].as_array().unwrap();
        let statements = document.get("Statement").unwrap().items();
        assert_eq!(statements.len(), written.len(), "{name}");
        for (ours, theirs) in statements.iter().zip(written) {
            for key in theirs.as_object().unwrap().keys() {
                assert!(ours.get(key).is_some(), "{name}: {key}");
            }
        }
        let shown = show(document);
        for p in parameters {
            assert!(shown.contains(&format!("given-{p}")), "{name}: {p} in {shown}");
        }
        let holes = shown.split("${").skip(1);
        assert!(holes.clone().all(|h| h.starts_with("AWS::")), "{name}: {shown}");
        count += 1;
    }
    assert_eq!(count, 81);
}

#[test]
fn a_named_role_is_used() {
    let (_, units) = lower_sam(
        r"Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Role: arn:aws:iam::123456789012:role/x, Policies: [AdministratorAccess]}
",
    );
    assert_eq!(units[0].resources.len(), 1);
    let function = find(&units, "F");
    assert_eq!(property(function, "Role"), "arn:aws:iam::123456789012:role/x");
    assert_eq!(property(function, "Policies"), "[AdministratorAccess]");
}

#[test]
fn a_role_in_one_branch_is_made_in_the_other() {
    let (_, units) = lower_sam(
        r"Parameters:
  R: {Type: String}
Conditions:
  Has: !Not [!Equals [!Ref R, '']]
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Role: !If [Has, !Ref R, !Ref AWS::NoValue]}
",
    );
    assert_eq!(
        find(&units, "FRole").branch.as_ref().map(|when| when.label()),
        Some("unless Has")
    );
    assert_eq!(
        property(find(&units, "F"), "Role"),
        "<if Has: ${R} | unless Has: ${FRole.Arn}>"
    );
}

#[test]
fn trust_boundary_and_path_are_taken_over() {
    let (sources, role) = function_role(
        "AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: '*', Action: sts:AssumeRole}]}, PermissionsBoundary: !Ref P, RolePath: /app/",
    );
    assert_eq!(property(&role, "PermissionsBoundary"), "${P}");
    assert_eq!(property(&role, "Path"), "/app/");
    let trust = role.get("AssumeRolePolicyDocument").unwrap();
    assert!(sources.slice(trust.span).starts_with("{Statement"));
    assert!(role.get("SamTemplate").is_none());
}

#[test]
fn globals_are_merged() {
    let body = r#"Globals:
  Function:
    Runtime: python3.13
    Timeout: 3
    Tracing: Active
    PermissionsBoundary: arn:aws:iam::123456789012:policy/b
    Architectures: [arm64]
    Layers: [one]
    Environment: {Variables: {A: global, B: global}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 9
      Handler: a.b
      Architectures: [x86_64]
      Layers: [two]
      Environment: {Variables: {A: own}}
"#;
    let (sources, units) = lower_sam(body);
    let function = find(&units, "F");
    assert_eq!(property(function, "Timeout"), "9");
    assert_eq!(property(function, "Architectures"), "[x86_64]");
    assert_eq!(property(function, "Layers"), "[one, two]");
    assert_eq!(property(function, "Environment"), "{Variables: {A: own, B: global}}");
    assert_eq!(property(function, "TracingConfig"), "{Mode: Active}");
    let role = find(&units, "FRole");
    assert_eq!(
        property(role, "PermissionsBoundary"),
        "arn:aws:iam::123456789012:policy/b"
    );
    assert!(property(role, "GeneratedManagedPolicyArns").contains("AWSXrayWriteOnlyAccess"));
    let runtime = function.get("Runtime").unwrap();
    assert_eq!(sources.slice(runtime.span), "python3.13");
    assert_eq!(sources.slice(runtime.via.as_ref().unwrap().span), "F");
}

#[test]
fn events_become_permissions_with_their_source() {
    let body = r#"Resources:
  B: {Type: AWS::S3::Bucket}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Events:
        Get: {Type: Api, Properties: {Path: /x, Method: get}}
        Any: {Type: HttpApi}
        Topic: {Type: SNS, Properties: {Topic: !Ref T}}
        Upload: {Type: S3, Properties: {Bucket: !Ref B, Events: 's3:ObjectCreated:*'}}
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
        Logs: {Type: CloudWatchLogs, Properties: {LogGroupName: lg}}
        Skill: {Type: AlexaSkill, Properties: {SkillId: amzn1.ask.skill.x}}
        Jobs: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}
"#;
    let (sources, units) = lower_sam(body);
    let permission = |event: &str| {
        let r = find(&units, &format!("F{event}Permission"));
        assert_eq!(&*r.kind, "AWS::Lambda::Permission");
        assert_eq!(sources.slice(r.header), event);
        assert_eq!(property(r, "FunctionName"), "${F}");
        [
            property(r, "Principal"),
            property(r, "SourceArn"),
            property(r, "SourceAccount"),
            property(r, "EventSourceToken"),
        ]
        .join(" ")
    };
    let start = "apigateway.amazonaws.com arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:";
    assert_eq!(
        permission("Get"),
        format!("{start}${{ServerlessRestApi}}/*/GET/x absent absent")
    );
    assert_eq!(
        permission("Any"),
        format!("{start}${{ServerlessHttpApi}}/*/* absent absent")
    );
    assert_eq!(permission("Topic"), "sns.amazonaws.com ${T} absent absent");
    assert_eq!(permission("Upload"), "s3.amazonaws.com absent ${AWS::AccountId} absent");
    assert_eq!(permission("Tick"), "events.amazonaws.com ${FTick.Arn} absent absent");
    assert_eq!(
        permission("Logs"),
        "logs.amazonaws.com arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:lg:* absent absent"
    );
    assert_eq!(
        permission("Skill"),
        "alexa-appkit.amazon.com absent absent amzn1.ask.skill.x"
    );
    let mapping = find(&units, "FJobs");
    assert_eq!(&*mapping.kind, "AWS::Lambda::EventSourceMapping");
    assert_eq!(property(mapping, "EventSourceArn"), "${Q.Arn}");
    assert!(find(&units, "F").get("Events").is_none());
}

#[test]
fn urls_code_and_dead_letters() {
    let (sources, units) = lower_sam(
        r"Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, InlineCode: 'x = 1', DeadLetterQueue: {Type: SQS, TargetArn: q}, FunctionUrlConfig: {AuthType: NONE}}
",
    );
    let url = find(&units, "FUrl");
    assert_eq!(&*url.kind, "AWS::Lambda::Url");
    assert_eq!(show(&url.props), "{AuthType: NONE, TargetFunctionArn: ${F}}");
    assert_eq!(sources.slice(url.header), "FunctionUrlConfig");
    let function = find(&units, "F");
    assert_eq!(property(function, "Code"), "{ZipFile: x = 1}");
    assert_eq!(property(function, "DeadLetterConfig"), "{Type: SQS, TargetArn: q}");
}

#[test]
fn state_machines_have_roles_too() {
    let (_, units) = lower_sam(
        r"Resources:
  M:
    Type: AWS::Serverless::StateMachine
    Properties: {Name: m, Tracing: {Enabled: true}, Policies: [{LambdaInvokePolicy: {FunctionName: f}}]}
",
    );
    let machine = find(&units, "M");
    assert_eq!(&*machine.kind, "AWS::StepFunctions::StateMachine");
    assert_eq!(property(machine, "RoleArn"), "${MRole.Arn}");
    assert_eq!(property(machine, "StateMachineName"), "m");
    let role = find(&units, "MRole");
    assert!(property(role, "AssumeRolePolicyDocument").contains("states.amazonaws.com"));
    assert!(property(role, "GeneratedManagedPolicyArns").contains("AWSXrayWriteOnlyAccess"));
    assert!(property(role, "Policies").contains("lambda:InvokeFunction"));
}

#[test]
fn apis_and_their_policies() {
    let body = r#"Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth:
        DefaultAuthorizer: AWS_IAM
        ResourcePolicy:
          AwsAccountWhitelist: ['123456789012']
          CustomStatements: {Effect: Allow, Action: 'execute-api:Invoke', Resource: 'execute-api:/*', Principal: '*'}
  H: {Type: AWS::Serverless::HttpApi}
  S: {Type: AWS::Serverless::SimpleTable}
  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer/}}
  N: {Type: AWS::Serverless::Application, Properties: {Location: nested.yaml, Parameters: {A: b}}}
"#;
    let (sources, units) = lower_sam(body);
    let api = find(&units, "A");
    assert_eq!(&*api.kind, "AWS::ApiGateway::RestApi");
    let policy = api.get("Policy").unwrap();
    assert_eq!(
        show(policy),
        "{Version: 2012-10-17, Statement: [{Effect: Allow, Action: execute-api:Invoke, Resource: execute-api:/*, Principal: *}, {Effect: Allow, Action: execute-api:Invoke, Resource: execute-api:/*, Principal: {AWS: [123456789012]}}]}"
    );
    let statements = policy.get("Statement").unwrap().items();
    assert_eq!(sources.slice(statements[0].get("Principal").unwrap().span), "'*'");
    assert_eq!(sources.slice(statements[1].span), "AwsAccountWhitelist");
    assert_eq!(property(api, "Auth"), "{DefaultAuthorizer: AWS_IAM}");
    let kinds = ["H", "S", "L", "N"].map(|id| find(&units, id).kind.to_string());
    assert_eq!(
        kinds,
        [
            "AWS::ApiGatewayV2::Api",
            "AWS::DynamoDB::Table",
            "AWS::Lambda::LayerVersion",
            "AWS::CloudFormation::Stack"
        ]
    );
    assert_eq!(property(find(&units, "N"), "TemplateURL"), "nested.yaml");
    assert_eq!(units[0].wanted, ["nested.yaml"]);
}

#[test]
fn connectors_become_policies() {
    let body = r#"Resources:
  T: {Type: AWS::Serverless::SimpleTable}
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b}
    Connectors:
      Machine: {Properties: {Destination: {Id: M}, Permissions: [Read]}}
  M: {Type: AWS::StepFunctions::StateMachine}
  C:
    Type: AWS::Serverless::Connector
    Properties: {Source: {Id: F}, Destination: [{Id: T}, {Id: Gone}], Permissions: [Read, Write]}
"#;
    let (sources, units) = lower_sam(body);
    let policy = find(&units, "CPolicyDestination0");
    assert_eq!(&*policy.kind, "AWS::IAM::ManagedPolicy");
    assert_eq!(property(policy, "Roles"), "[${FRole}]");
    let statements = policy.get("PolicyDocument").unwrap().get("Statement").unwrap().items();
    assert_eq!(statements.len(), 2);
    assert!(show(&statements[0]).contains("dynamodb:GetItem"));
    assert_eq!(
        show(statements[1].get("Resource").unwrap()),
        "[${T.Arn}, ${T.Arn}/index/*]"
    );
    every_part(&sources, policy.get("PolicyDocument").unwrap(), "C");
    let embedded = find(&units, "FMachinePolicy");
    assert!(property(embedded, "PolicyDocument").contains("states:ListExecutions"));
    assert_eq!(sources.slice(embedded.header), "Machine");
}

/// What the resource `id` lets be done, a line a statement: `sqs:SendMessage on ${Q.Arn}`.
fn grants(units: &[LoweredUnit], id: &str) -> String {
    let resource = find(units, id);
    let one = resource.get("PolicyDocument");
    let inline = resource.get("Policies").map_or(&[][..], Value::items);
    let inline = inline.iter().filter_map(|p| p.get("PolicyDocument"));
    let mut lines = Vec::new();
    for statement in one
        .into_iter()
        .chain(inline)
        .flat_map(|d| d.get("Statement").unwrap().items())
    {
        let by = statement
            .get("Principal")
            .map_or(String::new(), |p| format!(" by {}", show(p)));
        let of = statement.path(&["Condition", "ArnEquals", "aws:SourceArn"]);
        let of = of.map_or(String::new(), |s| format!(" for {}", show(s)));
        let (actions, on) = (statement.get("Action").unwrap(), statement.get("Resource").unwrap());
        lines.push(format!("{} on {}{by}{of}", show(actions), show(on)));
    }
    lines.join("\n")
}

/// A function and a state machine, each with these properties.
fn events(function: &str, machine: &str) -> Vec<LoweredUnit> {
    let (_, units) = lower_sam(&format!(
        r"Resources:
  Q: {{Type: AWS::SQS::Queue}}
  S: {{Type: AWS::SNS::Topic}}
  F:
    Type: AWS::Serverless::Function
    Properties: {{Handler: a.b, {function}}}
  M:
    Type: AWS::Serverless::StateMachine
    Properties: {{{machine}}}
"
    ));
    units
}

#[test]
fn what_lambda_delivers_and_polls_with_the_role() {
    let cases = [
        (
            "DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Q.Arn}",
            "[sqs:SendMessage] on [${Q.Arn}]",
        ),
        (
            "DeadLetterQueue: {Type: SNS, TargetArn: !Ref S}",
            "[sns:Publish] on [${S}]",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: EventBridge, Destination: b}, OnFailure: {Type: Lambda, Destination: f}}}",
            r"[events:PutEvents] on [b]
[lambda:InvokeFunction] on [f]",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: SQS}, OnFailure: {Type: SNS}}}",
            r"[sqs:SendMessage] on [${FEventInvokeConfigOnSuccessQueue.Arn}]
[sns:Publish] on [${FEventInvokeConfigOnFailureTopic}]",
        ),
        (
            "EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: S3Bucket, Destination: 'arn:aws:s3:::b'}}}",
            r"[s3:PutObject] on [arn:aws:s3:::b/*]
[s3:ListBucket] on [arn:aws:s3:::b]",
        ),
        (
            "Events: {K: {Type: Kinesis, Properties: {Stream: k, DestinationConfig: {OnFailure: {Type: SQS, Destination: q}}}}}",
            "[sqs:SendMessage] on [q]",
        ),
        (
            "Events: {B: {Type: MQ, Properties: {Broker: b, SecretsManagerKmsKeyId: k, SourceAccessConfigurations: [{Type: BASIC_AUTH, URI: s}]}}}",
            r"[secretsmanager:GetSecretValue] on [s]
[mq:DescribeBroker] on [b]
[kms:Decrypt] on [arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/k]",
        ),
        (
            "Events: {K: {Type: SelfManagedKafka, Properties: {SourceAccessConfigurations: [{Type: SASL_SCRAM_512_AUTH, URI: s}]}}}",
            "[secretsmanager:GetSecretValue] on [s]",
        ),
        ("Role: r, DeadLetterQueue: {Type: SNS, TargetArn: !Ref S}", ""),
    ];
    for (properties, expected) in cases {
        let units = events(properties, "Role: r");
        if expected.is_empty() {
            assert!(units[0].resources.iter().all(|r| &*r.kind != "AWS::IAM::Role"));
        } else {
            assert_eq!(grants(&units, "FRole"), expected, "{properties}");
        }
    }
}

#[test]
fn schedules_and_rules_start_with_roles_of_their_own() {
    let units = events(
        "AutoPublishAlias: live, DeploymentPreference: {Type: AllAtOnce}, Events: {A: {Type: ScheduleV2, Properties: {PermissionsBoundary: b, DeadLetterConfig: {Arn: !GetAtt Q.Arn}}}, B: {Type: ScheduleV2, Properties: {RoleArn: r}}, T: {Type: SNS, Properties: {Topic: !Ref S, SqsSubscription: true}}}",
        "PermissionsBoundary: mb, Events: {S: {Type: Schedule, Properties: {Schedule: x, DeadLetterConfig: {Type: SQS}}}, V: {Type: ScheduleV2}, E: {Type: EventBridgeRule}, P: {Type: Api, Properties: {Path: /, Method: post}}, O: {Type: Schedule, Properties: {RoleArn: r}}}",
    );
    let rows = [
        (
            "FARole",
            "scheduler",
            r"[lambda:InvokeFunction] on [${F.Arn}]
[sqs:SendMessage] on [${Q.Arn}]",
            "b",
        ),
        ("MSRole", "events", "[states:StartExecution] on [${M}]", "mb"),
        ("MVRole", "scheduler", "[states:StartExecution] on [${M}]", "absent"),
        ("MERole", "events", "[states:StartExecution] on [${M}]", "mb"),
        ("MPRole", "apigateway", "[states:StartExecution] on [${M}]", "mb"),
        ("CodeDeployServiceRole", "codedeploy", "", "absent"),
    ];
    for (id, service, expected, boundary) in rows {
        let role = find(&units, id);
        assert_eq!(grants(&units, id), expected, "{id}");
        assert_eq!(property(role, "PermissionsBoundary"), boundary, "{id}");
        let trust = property(role, "AssumeRolePolicyDocument");
        assert!(trust.contains(&format!("{service}.amazonaws.com")), "{id}: {trust}");
    }
    let ids: Vec<&str> = units[0].resources.iter().map(|r| &*r.address.name).collect();
    assert!(!ids.contains(&"FBRole") && !ids.contains(&"MORole"), "{ids:?}");
    assert_eq!(
        grants(&units, "MSQueuePolicy"),
        "sqs:SendMessage on ${MSQueue.Arn} by {Service: events.amazonaws.com} for ${MS.Arn}"
    );
    assert_eq!(
        grants(&units, "FTQueuePolicy"),
        "sqs:SendMessage on ${FTQueue.Arn} by * for ${S}"
    );
}

#[test]
fn connectors_of_every_form() {
    let connect = |source: &str, destination: &str| {
        let (_, units) = lower_sam(&format!(
            r"Resources:
  Q: {{Type: AWS::SQS::Queue}}
  S: {{Type: AWS::SNS::Topic}}
  B: {{Type: AWS::S3::Bucket}}
  H: {{Type: AWS::Serverless::HttpApi}}
  R: {{Type: AWS::Events::Rule, Properties: {{Targets: [{{Id: m, Arn: !Ref M, RoleArn: !GetAtt Own.Arn}}]}}}}
  M: {{Type: AWS::Serverless::StateMachine}}
  Own: {{Type: AWS::IAM::Role}}
  F: {{Type: AWS::Serverless::Function, Properties: {{Handler: a.b}}}}
  G: {{Type: AWS::Serverless::Function, Properties: {{Handler: a.b, Role: !GetAtt Own.Arn}}}}
  C: {{Type: AWS::Serverless::Connector, Properties: {{Source: {{{source}}}, Destination: {{{destination}}}, Permissions: [Read, Write]}}}}
"
        ));
        let made = units[0]
            .resources
            .iter()
            .find(|r| r.address.name.starts_with('C'))
            .unwrap();
        let id = &*made.address.name;
        match &*made.kind {
            "AWS::Lambda::Permission" => format!(
                "{id} {} {} {} {}",
                property(made, "Principal"),
                property(made, "FunctionName"),
                property(made, "SourceArn"),
                property(made, "SourceAccount")
            ),
            _ => format!("{id} {} {}", property(made, "Roles"), grants(&units, id)),
        }
    };
    let cases = [
        ("Id: G", "Id: S", "CPolicy [${Own.Arn}] [sns:Publish] on [${S}]"),
        (
            "Id: F",
            "Id: G",
            "CPolicy [${FRole}] [lambda:InvokeAsync, lambda:InvokeFunction] on [${G.Arn}]",
        ),
        (
            "Id: R",
            "Id: M",
            "CPolicy [${Own.Arn}] [states:StartExecution] on [${M}]",
        ),
        ("Id: M", "Id: Q", "CPolicy [${MRole}] [sqs:SendMessage] on [${Q.Arn}]"),
        (
            "Id: Q",
            "Id: F",
            r"CPolicy [${FRole}] [sqs:ReceiveMessage, sqs:GetQueueAttributes] on [${Q.Arn}]
[sqs:DeleteMessage] on [${Q.Arn}]",
        ),
        (
            "Id: S",
            "Id: F",
            "CWriteLambdaPermission sns.amazonaws.com ${F.Arn} ${S} absent",
        ),
        (
            "Id: B",
            "Id: F",
            "CWriteLambdaPermission s3.amazonaws.com ${F.Arn} ${B.Arn} ${AWS::AccountId}",
        ),
        (
            "Id: H, Qualifier: p/GET/x",
            "Id: F",
            "CWriteLambdaPermission apigateway.amazonaws.com ${F.Arn} arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${H}/p/GET/x absent",
        ),
        (
            "Id: S",
            "Id: Q",
            "CQueuePolicy absent sqs:SendMessage on ${Q.Arn} by {Service: sns.amazonaws.com} for ${S}",
        ),
        (
            "Id: R",
            "Id: S",
            "CTopicPolicy absent sns:Publish on ${S} by {Service: events.amazonaws.com} for ${R.Arn}",
        ),
        (
            "Type: AWS::Lambda::Function, RoleName: !Ref Own",
            "Type: AWS::SNS::Topic, Arn: topic",
            "CPolicy [${Own}] [sns:Publish] on [topic]",
        ),
    ];
    for (source, destination, expected) in cases {
        assert_eq!(connect(source, destination), expected);
    }
}

#[test]
fn graphql_apis_and_operators_have_roles() {
    let (_, units) = lower_sam(
        r"Resources:
  A:
    Type: AWS::Serverless::GraphQLApi
    Properties: {Logging: true, DataSources: {DynamoDb: {T: {TableName: t, Permissions: [Read]}, O: {TableName: t, ServiceRoleArn: r}}, Lambda: {L: {FunctionArn: f}}}}
  P: {Type: AWS::Serverless::CapacityProvider, Properties: {}}
",
    );
    assert!(
        property(find(&units, "ACloudWatchRole"), "GeneratedManagedPolicyArns")
            .contains("AWSAppSyncPushToCloudWatchLogs")
    );
    assert!(
        property(find(&units, "POperatorRole"), "GeneratedManagedPolicyArns")
            .contains("AWSLambdaManagedEC2ResourceOperator")
    );
    let policy = find(&units, "ATDynamoDBDataSourceToTableConnectorPolicy");
    assert_eq!(property(policy, "Roles"), "[${ATDynamoDBDataSourceRole}]");
    assert!(grants(&units, "ATDynamoDBDataSourceToTableConnectorPolicy").contains("dynamodb:Scan"));
    assert!(!grants(&units, "ATDynamoDBDataSourceToTableConnectorPolicy").contains("dynamodb:PutItem"));
    assert_eq!(
        grants(&units, "ALLambdaDataSourceToLambdaConnectorPolicy"),
        "[lambda:InvokeAsync, lambda:InvokeFunction] on [f, f:*]"
    );
    assert!(units[0].resources.iter().all(|r| !r.address.name.starts_with("AO")));
}

#[test]
fn authorizers_that_are_functions_may_be_invoked() {
    let (_, units) = lower_sam(
        r"Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Role: r}}
  A:
    Type: AWS::Serverless::Api
    Properties: {Auth: {Authorizers: {L: {FunctionArn: !GetAtt F.Arn}, N: {FunctionArn: !GetAtt F.Arn, DisableFunctionDefaultPermissions: true}, U: {UserPoolArn: u}}}}
  H:
    Type: AWS::Serverless::HttpApi
    Properties: {Auth: {Authorizers: {L: {FunctionArn: !GetAtt F.Arn}, E: {FunctionArn: !GetAtt F.Arn, EnableFunctionDefaultPermissions: true}}}}
  W:
    Type: AWS::Serverless::WebSocketApi
    Properties: {Routes: {$connect: {FunctionArn: !GetAtt F.Arn}}}
",
    );
    let permissions: Vec<String> = units[0]
        .resources
        .iter()
        .filter(|r| &*r.kind == "AWS::Lambda::Permission")
        .map(|r| format!("{} {}", r.address.name, property(r, "SourceArn")))
        .collect();
    let api = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}";
    assert_eq!(
        permissions,
        [
            format!("ALAuthorizerPermission {api}:${{A}}/authorizers/*"),
            format!("HEAuthorizerPermission {api}:${{H}}/authorizers/*"),
            format!("W$connectPermission {api}:${{W.ApiId}}/*/$connect"),
        ]
    );
}
