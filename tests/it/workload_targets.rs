//! Schedules, targets of rules, pipes, data sources, integrations, and builds: what they need is compared with their roles.

use overgrant::internals::iam;

use crate::support::repository::Repository;

/// A template with a role `Role` that `service` assumes and that allows `actions`, and other resources.
fn template(service: &str, actions: &str, resources: &str) -> String {
    format!(
        r#"AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Other: {{Type: String}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Principal: {{Service: {service}}}, Action: sts:AssumeRole}}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{{Effect: Allow, Action: [{actions}], Resource: "*"}}]
  Queue: {{Type: AWS::SQS::Queue}}
  Letters: {{Type: AWS::SQS::Queue}}
  Table: {{Type: AWS::DynamoDB::Table}}
  Bus: {{Type: AWS::Events::EventBus, Properties: {{Name: orders}}}}
  Machine: {{Type: AWS::StepFunctions::StateMachine, Properties: {{RoleArn: !Ref Other, DefinitionUri: s3://b/k}}}}
  Function: {{Type: AWS::Lambda::Function, Properties: {{Runtime: nodejs22.x, Handler: index.handler, Code: {{S3Bucket: b, S3Key: k}}}}}}
{resources}"#
    )
}

/// The same in Terraform: `aws_iam_role.role`.
fn terraform(service: &str, actions: &str, resources: &str) -> String {
    format!(
        r#"variable "other" {{}}
resource "aws_iam_role" "role" {{
  name = "role"
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "{service}" }} }}]
  }})
}}
resource "aws_iam_role_policy" "policy" {{
  role   = aws_iam_role.role.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = [{actions}], Resource = "*" }}]
  }})
}}
resource "aws_sqs_queue" "queue" {{}}
resource "aws_sfn_state_machine" "machine" {{
  role_arn   = var.other
  definition = var.other
}}
resource "aws_ecs_cluster" "cluster" {{
  name = "c"
}}
{resources}"#
    )
}

/// Messages of both rules.
fn found_in(files: &[(&str, &str)]) -> Vec<String> {
    let r = Repository::new(files);
    let findings = r.check(&["--only", "unused-grant,missing-grant"]).findings();
    findings
        .iter()
        .map(|f| f["message"].as_str().unwrap().to_owned())
        .collect()
}

fn found(text: &str) -> Vec<String> {
    found_in(&[("template.yaml", text)])
}

fn found_hcl(text: &str) -> Vec<String> {
    found_in(&[("main.tf", text)])
}

fn listed(files: &[(&str, &str)]) -> String {
    let ran = Repository::new(files).run(&["workloads"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

const NONE: [&str; 0] = [];

#[test]
fn schedules() {
    let schedule = |actions: &str, target: &str| {
        let resources = format!(
            "  Daily:\n    Type: AWS::Scheduler::Schedule\n    Properties:\n      Target: {{RoleArn: !GetAtt Role.Arn, {target}}}\n"
        );
        template("scheduler.amazonaws.com", actions, &resources)
    };
    let queue = "Arn: !GetAtt Queue.Arn";
    assert_eq!(found(&schedule("sqs:SendMessage", queue)), NONE);
    assert_eq!(
        found(&schedule("sqs:SendMessage, sqs:DeleteMessage", queue)),
        ["`sqs:DeleteMessage` is granted, but the schedule never calls it"]
    );
    assert_eq!(
        found(&schedule("sqs:*", queue)),
        ["`sqs:*` grants 20 actions; the schedule uses 1 of them"]
    );
    assert_eq!(
        found(&schedule("lambda:InvokeFunction", queue)),
        [
            "`lambda:InvokeFunction` is granted, but the schedule never calls it",
            "`sqs:SendMessage` is required but not allowed by the role"
        ]
    );
    // A universal target is a call of its own.
    let universal = "Arn: arn:aws:scheduler:::aws-sdk:sqs:purgeQueue";
    assert_eq!(found(&schedule("sqs:PurgeQueue", universal)), NONE);
    assert_eq!(
        found(&schedule("sqs:SendMessage", universal)),
        [
            "`sqs:SendMessage` is granted, but the schedule never calls it",
            "`sqs:PurgeQueue` is required but not allowed by the role"
        ]
    );
    let partition = "Arn: !Sub 'arn:${AWS::Partition}:scheduler:::aws-sdk:sfn:startExecution'";
    assert_eq!(found(&schedule("states:StartExecution", partition)), NONE);
    // A dead-letter queue needs the role, too.
    let letters = "Arn: !GetAtt Function.Arn, DeadLetterConfig: {Arn: !GetAtt Letters.Arn}";
    assert_eq!(
        found(&schedule("lambda:InvokeFunction, sqs:SendMessage", letters)),
        NONE
    );
    assert_eq!(
        found(&schedule("lambda:InvokeFunction", letters)),
        ["`sqs:SendMessage` is required but not allowed by the role"]
    );
    // The task's roles are passed.
    let task = "Arn: arn:aws:ecs:eu-west-1:111122223333:cluster/c, EcsParameters: {TaskDefinitionArn: !Ref Other}";
    assert_eq!(found(&schedule("ecs:RunTask, iam:PassRole", task)), NONE);
    assert_eq!(
        found(&schedule("ecs:RunTask, ecs:StopTask", task)),
        ["`ecs:StopTask` is granted, but the schedule never calls it"]
    );
    // What comes from outside may be anything.
    for target in [
        "Arn: !Ref Other",
        "Arn: arn:aws:scheduler:::aws-sdk:sqs:newThing",
        "Arn: arn:aws:newservice:eu-west-1:111122223333:thing",
        "Arn: !GetAtt Queue.Arn, DeadLetterConfig: {Arn: !Ref Other}",
    ] {
        assert_eq!(found(&schedule("s3:GetObject", target)), NONE, "{target}");
    }
}

#[test]
fn what_is_needed_on_another_resource_is_missing() {
    let schedule = |resource: &str| {
        let text = "  Daily:\n    Type: AWS::Scheduler::Schedule\n    Properties:\n      Target: {RoleArn: !GetAtt Role.Arn, Arn: !GetAtt Queue.Arn}\n";
        template("scheduler.amazonaws.com", "sqs:SendMessage", text)
            .replace("Resource: \"*\"}]", &format!("Resource: {resource}}}]"))
    };
    assert_eq!(found(&schedule("!GetAtt Queue.Arn")), NONE);
    assert_eq!(found(&schedule("!Ref Other")), NONE);
    assert_eq!(
        found(&schedule("!GetAtt Letters.Arn")),
        ["`sqs:SendMessage` is required but allowed only on other resources"]
    );
}

#[test]
fn schedules_of_terraform() {
    let schedule = |actions: &str, target: &str| {
        let resources = format!(
            "resource \"aws_scheduler_schedule\" \"daily\" {{\n  target {{\n    role_arn = aws_iam_role.role.arn\n    {target}\n  }}\n}}\n"
        );
        terraform("scheduler.amazonaws.com", actions, &resources)
    };
    let queue = "arn = aws_sqs_queue.queue.arn";
    assert_eq!(found_hcl(&schedule(r#""sqs:SendMessage""#, queue)), NONE);
    assert_eq!(
        found_hcl(&schedule(r#""sqs:SendMessage", "sqs:ReceiveMessage""#, queue)),
        ["`sqs:ReceiveMessage` is granted, but the schedule never calls it"]
    );
    // Of clusters, nothing is kept but the reference.
    let cluster = "arn = aws_ecs_cluster.cluster.arn";
    assert_eq!(
        found_hcl(&schedule(r#""ecs:StartTask", "iam:PassRole""#, cluster)),
        [
            "`ecs:StartTask` is granted, but the schedule never calls it",
            "`ecs:RunTask` is required but not allowed by the role"
        ]
    );
    assert_eq!(found_hcl(&schedule(r#""s3:GetObject""#, "arn = var.other")), NONE);
}

#[test]
fn targets_of_rules() {
    let rule = |actions: &str, properties: &str| {
        let resources = format!("  Rule:\n    Type: AWS::Events::Rule\n    Properties: {{{properties}}}\n");
        template("events.amazonaws.com", actions, &resources)
    };
    let machine = "Targets: [{Id: a, Arn: !Ref Machine, RoleArn: !GetAtt Role.Arn}]";
    assert_eq!(found(&rule("states:StartExecution", machine)), NONE);
    assert_eq!(
        found(&rule("states:StartExecution, states:StopExecution", machine)),
        ["`states:StopExecution` is granted, but the rule never calls it"]
    );
    assert_eq!(
        found(&rule("states:StopExecution", machine)),
        [
            "`states:StopExecution` is granted, but the rule never calls it",
            "`states:StartExecution` is required but not allowed by the role"
        ]
    );
    // The rule's role is that of targets without one.
    let of_rule = "RoleArn: !GetAtt Role.Arn, Targets: [{Id: a, Arn: !Ref Machine}]";
    assert_eq!(found(&rule("states:StartExecution", of_rule)), NONE);
    assert_eq!(
        found(&rule("states:StartExecution, s3:GetObject", of_rule)),
        ["`s3:GetObject` is granted, but the rule never calls it"]
    );
    // All targets with the role count.
    let both = "Targets: [{Id: a, Arn: !Ref Machine, RoleArn: !GetAtt Role.Arn}, {Id: b, Arn: !GetAtt Bus.Arn, RoleArn: !GetAtt Role.Arn}]";
    assert_eq!(found(&rule("states:StartExecution, events:PutEvents", both)), NONE);
    let unknown = "Targets: [{Id: a, Arn: !Ref Machine, RoleArn: !GetAtt Role.Arn}, {Id: b, Arn: !Ref Other, RoleArn: !GetAtt Role.Arn}]";
    assert_eq!(found(&rule("states:StartExecution, s3:GetObject", unknown)), NONE);
    assert_eq!(
        found(&rule("s3:GetObject", unknown)),
        ["`states:StartExecution` is required but not allowed by the role"]
    );
    // These let the rule in by a policy of their own, and may have a role.
    let function = "Targets: [{Id: a, Arn: !GetAtt Function.Arn, RoleArn: !GetAtt Role.Arn}]";
    assert_eq!(found(&rule("kms:Decrypt", function)), NONE);
    // Its own stop and reboot are no calls of a state.
    let stop = "Targets: [{Id: a, Arn: !Sub 'arn:aws:events:${AWS::Region}:${AWS::AccountId}:target/stop-instance', RoleArn: !GetAtt Role.Arn}]";
    assert_eq!(found(&rule("ec2:StopInstances", stop)), NONE);
}

#[test]
fn targets_of_rules_in_terraform() {
    let target = |actions: &str, arn: &str| {
        let resources = format!(
            "resource \"aws_cloudwatch_event_rule\" \"r\" {{\n  name = \"r\"\n}}\nresource \"aws_cloudwatch_event_target\" \"t\" \
             {{\n  rule     = aws_cloudwatch_event_rule.r.name\n  arn      = {arn}\n  role_arn = aws_iam_role.role.arn\n}}\n"
        );
        terraform("events.amazonaws.com", actions, &resources)
    };
    let machine = "aws_sfn_state_machine.machine.arn";
    assert_eq!(found_hcl(&target(r#""states:StartExecution""#, machine)), NONE);
    assert_eq!(
        found_hcl(&target(r#""states:*""#, machine)),
        ["`states:*` grants 39 actions; the rule uses 1 of them"]
    );
    assert_eq!(found_hcl(&target(r#""states:*""#, "var.other")), NONE);
    // The role of the rule serves targets that are elsewhere.
    let also =
        target(r#""states:*""#, machine).replace("name = \"r\"", "name = \"r\"\n  role_arn = aws_iam_role.role.arn");
    assert_eq!(found_hcl(&also), NONE);
}

#[test]
fn pipes() {
    let pipe = |actions: &str, properties: &str| {
        let resources = format!(
            "  Pipe:\n    Type: AWS::Pipes::Pipe\n    Properties: {{RoleArn: !GetAtt Role.Arn, Source: !GetAtt Queue.Arn, {properties}}}\n"
        );
        template("pipes.amazonaws.com", actions, &resources)
    };
    const POLL: &str = "sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes";
    let to_bus = "Target: !GetAtt Bus.Arn";
    assert_eq!(found(&pipe(&format!("{POLL}, events:PutEvents"), to_bus)), NONE);
    assert_eq!(
        found(&pipe(&format!("{POLL}, events:PutEvents, events:PutRule"), to_bus)),
        ["`events:PutRule` is granted, but the pipe never calls it"]
    );
    assert_eq!(
        found(&pipe("sqs:ReceiveMessage, events:PutEvents", to_bus)),
        ["`sqs:DeleteMessage` is required but not allowed by the role; also `sqs:GetQueueAttributes`"]
    );
    let enriched = "Target: !GetAtt Bus.Arn, Enrichment: !GetAtt Function.Arn";
    assert_eq!(
        found(&pipe(
            &format!("{POLL}, events:PutEvents, lambda:InvokeFunction"),
            enriched
        )),
        NONE
    );
    assert_eq!(
        found(&pipe(&format!("{POLL}, events:PutEvents"), enriched)),
        ["`lambda:InvokeFunction` is required but not allowed by the role"]
    );
    // An express workflow is waited for, or not.
    let machine = |how: &str| {
        format!("Target: !Ref Machine, TargetParameters: {{StepFunctionStateMachineParameters: {{{how}}}}}")
    };
    let fire = machine("InvocationType: FIRE_AND_FORGET");
    assert_eq!(found(&pipe(&format!("{POLL}, states:StartExecution"), &fire)), NONE);
    assert_eq!(
        found(&pipe(
            &format!("{POLL}, states:StartExecution, states:StartSyncExecution"),
            &fire
        )),
        ["`states:StartSyncExecution` is granted, but the pipe never calls it"]
    );
    assert_eq!(
        found(&pipe(&format!("{POLL}, states:StartSyncExecution"), &machine(""))),
        NONE
    );
    // Log destinations, and the keys of what is encrypted.
    let logged = "Target: !GetAtt Bus.Arn, LogConfiguration: {S3LogDestination: {BucketName: b}}";
    assert_eq!(
        found(&pipe(
            &format!("{POLL}, events:PutEvents, s3:PutObject, kms:Decrypt"),
            logged
        )),
        NONE
    );
    assert_eq!(
        found(&pipe(
            &format!("{POLL}, events:PutEvents, s3:PutObject, kms:Decrypt"),
            to_bus
        )),
        ["`s3:PutObject` is granted, but the pipe never calls it"]
    );
    // A stream with a queue for failed events.
    let stream = |letters: &str| {
        pipe("dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:ListStreams, sqs:SendMessage, events:PutEvents", to_bus)
            .replace("Source: !GetAtt Queue.Arn", &format!("Source: !GetAtt Table.StreamArn, SourceParameters: {{DynamoDBStreamParameters: {{StartingPosition: LATEST{letters}}}}}"))
    };
    assert_eq!(found(&stream(", DeadLetterConfig: {Arn: !GetAtt Letters.Arn}")), NONE);
    assert_eq!(
        found(&stream("")),
        ["`sqs:SendMessage` is granted, but the pipe never calls it"]
    );
    assert_eq!(found(&pipe("s3:GetObject", "Target: !Ref Other")), NONE);
}

#[test]
fn pipes_of_terraform() {
    let pipe = |actions: &str, target: &str| {
        let resources = format!(
            "resource \"aws_pipes_pipe\" \"p\" {{\n  role_arn = aws_iam_role.role.arn\n  source   = aws_sqs_queue.queue.arn\n  {target}\n}}\n"
        );
        terraform("pipes.amazonaws.com", actions, &resources)
    };
    let poll = r#""sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes""#;
    let fire = "target = aws_sfn_state_machine.machine.arn\n  target_parameters {\n    step_function_state_machine_parameters {\n      invocation_type = \"FIRE_AND_FORGET\"\n    }\n  }";
    assert_eq!(
        found_hcl(&pipe(&format!("{poll}, \"states:StartExecution\""), fire)),
        NONE
    );
    assert_eq!(
        found_hcl(&pipe(&format!("{poll}, \"states:StartSyncExecution\""), fire)),
        [
            "`states:StartSyncExecution` is granted, but the pipe never calls it",
            "`states:StartExecution` is required but not allowed by the role"
        ]
    );
    assert_eq!(found_hcl(&pipe("\"s3:GetObject\"", "target = var.other")), NONE);
}

/// A DynamoDB data source with resolvers.
fn graph(actions: &str, resolvers: &str) -> String {
    let resources = format!(
        "  Notes:\n    Type: AWS::AppSync::DataSource\n    Properties: {{Name: Notes, Type: AMAZON_DYNAMODB, ServiceRoleArn: !GetAtt Role.Arn, DynamoDBConfig: {{TableName: !Ref Table}}}}\n{resolvers}"
    );
    template("appsync.amazonaws.com", actions, &resources)
}

fn resolver(properties: &str) -> String {
    format!(
        "  Get:\n    Type: AWS::AppSync::Resolver\n    Properties: {{DataSourceName: !GetAtt Notes.Name, {properties}}}\n"
    )
}

#[test]
fn data_sources() {
    let get = resolver(r#"RequestMappingTemplate: '{"version": "2017-02-28", "operation": "GetItem", "key": {}}'"#);
    assert_eq!(found(&graph("dynamodb:GetItem", &get)), NONE);
    assert_eq!(
        found(&graph("dynamodb:GetItem, dynamodb:Scan", &get)),
        ["`dynamodb:Scan` is granted, but the data source never calls it"]
    );
    assert_eq!(
        found(&graph("dynamodb:Query", &get)),
        [
            "`dynamodb:Query` is granted, but the data source never calls it",
            "`dynamodb:GetItem` is required but not allowed by the role"
        ]
    );
    let code = |code: &str| resolver(&format!("Code: \"{code}\""));
    let import = "import * as ddb from '@aws-appsync/utils/dynamodb';";
    for used in [
        code("export function request(ctx) { return { operation: 'PutItem', key: {} } }"),
        code(&format!(
            "{import} export const request = (ctx) => ddb.put({{ key: {{}} }})"
        )),
        code("import { put as add } from '@aws-appsync/utils/dynamodb'; export const request = (ctx) => add({})"),
    ] {
        assert_eq!(
            found(&graph("dynamodb:PutItem, dynamodb:Query", &used)),
            ["`dynamodb:Query` is granted, but the data source never calls it"],
            "{used}"
        );
    }
    // Which of two operations runs depends on the request: both count as used, and none is missing for sure.
    let two =
        code("export function request(ctx) { return ctx.args.all ? { operation: 'Scan' } : { operation: 'Query' } }");
    assert_eq!(found(&graph("dynamodb:Scan, dynamodb:Query", &two)), NONE);
    assert_eq!(found(&graph("dynamodb:Scan", &two)), NONE);
    for unknown in [
        String::new(),
        resolver("RequestMappingTemplate: '{\"operation\": \"$ctx.args.operation\"}'"),
        resolver("RequestMappingTemplate: !Ref Other"),
        code("export function request(ctx) { const operation = choose(ctx); return { operation, key: {} } }"),
        code(&format!("{import} export const request = (ctx) => ddb.fancy({{}})")),
        resolver("RequestMappingTemplateS3Location: s3://b/get.vtl"),
        resolver("RequestMappingTemplateS3Location: nowhere.vtl"),
        format!(
            "{get}  Unsure:\n    Type: AWS::AppSync::Resolver\n    Properties: {{DataSourceName: !Ref Other, Code: x}}\n"
        ),
    ] {
        assert_eq!(found(&graph("dynamodb:Query", &unknown)), NONE, "{unknown}");
    }
}

#[test]
fn requests_in_files() {
    let template = graph(
        "dynamodb:GetItem, dynamodb:Scan",
        &resolver("RequestMappingTemplateS3Location: ./vtl/get.vtl"),
    );
    let files = [
        ("template.yaml", &*template),
        ("vtl/get.vtl", "{\n  \"operation\" : \"GetItem\"\n}\n"),
    ];
    assert_eq!(
        found_in(&files),
        ["`dynamodb:Scan` is granted, but the data source never calls it"]
    );
    let r = Repository::new(&files);
    let needs = r.run(&["needs"]).out;
    assert!(
        needs.contains("vtl/get.vtl:2:18: dynamodb GetItem in the resolver Get\n"),
        "{needs}"
    );
    let hcl = terraform(
        "appsync.amazonaws.com",
        r#""dynamodb:PutItem", "dynamodb:Scan""#,
        r#"resource "aws_appsync_datasource" "notes" {
  name             = "notes"
  type             = "AMAZON_DYNAMODB"
  service_role_arn = aws_iam_role.role.arn
}
resource "aws_appsync_function" "put" {
  data_source = aws_appsync_datasource.notes.name
  name        = "put"
  code        = file("${path.module}/put.js")
}
"#,
    );
    let code = "import { put } from '@aws-appsync/utils/dynamodb'\nexport const request = (ctx) => put({})\n";
    assert_eq!(
        found_in(&[("main.tf", &hcl), ("put.js", code)]),
        ["`dynamodb:Scan` is granted, but the data source never calls it"]
    );
    assert_eq!(found_in(&[("main.tf", &hcl)]), NONE);
}

#[test]
fn other_data_sources() {
    let source = |actions: &str, properties: &str| {
        let resources = format!(
            "  Source:\n    Type: AWS::AppSync::DataSource\n    Properties: {{Name: s, ServiceRoleArn: !GetAtt Role.Arn, {properties}}}\n"
        );
        template("appsync.amazonaws.com", actions, &resources)
    };
    let function = "Type: AWS_LAMBDA, LambdaConfig: {LambdaFunctionArn: !GetAtt Function.Arn}";
    assert_eq!(found(&source("lambda:InvokeFunction", function)), NONE);
    assert_eq!(
        found(&source("lambda:InvokeFunction, lambda:GetFunction", function)),
        ["`lambda:GetFunction` is granted, but the data source never calls it"]
    );
    assert_eq!(
        found(&source("events:PutRule", "Type: AMAZON_EVENTBRIDGE")),
        [
            "`events:PutRule` is granted, but the data source never calls it",
            "`events:PutEvents` is required but not allowed by the role"
        ]
    );
    let signed = |service: &str| {
        format!(
            "Type: HTTP, HttpConfig: {{AuthorizationConfig: {{AuthorizationType: AWS_IAM, AwsIamConfig: {{SigningServiceName: {service}}}}}}}"
        )
    };
    assert_eq!(found(&source("execute-api:Invoke", &signed("execute-api"))), NONE);
    assert_eq!(
        found(&source("execute-api:Invoke, s3:GetObject", &signed("execute-api"))),
        ["`s3:GetObject` is granted, but the data source never calls it"]
    );
    // Any operation may be requested.
    assert_eq!(found(&source("s3:GetObject", &signed("states"))), NONE);
    assert_eq!(found(&source("s3:GetObject", "Type: NEW_THING")), NONE);
}

#[test]
fn integrations() {
    let method = |actions: &str, integration: &str| {
        let resources = format!(
            "  Post:\n    Type: AWS::ApiGateway::Method\n    Properties:\n      Integration: {{Type: AWS, Credentials: !GetAtt Role.Arn, {integration}}}\n"
        );
        template("apigateway.amazonaws.com", actions, &resources)
    };
    let put = "Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:dynamodb:action/PutItem'";
    assert_eq!(found(&method("dynamodb:PutItem", put)), NONE);
    assert_eq!(
        found(&method("dynamodb:PutItem, dynamodb:Query", put)),
        ["`dynamodb:Query` is granted, but the integration never calls it"]
    );
    assert_eq!(
        found(&method("dynamodb:Query", put)),
        [
            "`dynamodb:Query` is granted, but the integration never calls it",
            "`dynamodb:PutItem` is required but not allowed by the role"
        ]
    );
    // The query of a path says what is called, or a header.
    let send = "Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:sqs:path/1/q', RequestTemplates: {application/json: 'Action=SendMessage&MessageBody=$input.body'}";
    assert_eq!(
        found(&method("sqs:SendMessage, sqs:DeleteQueue", send)),
        ["`sqs:DeleteQueue` is granted, but the integration never calls it"]
    );
    let header = "Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:sqs:path/1/q', RequestParameters: {integration.request.header.X-Amz-Target: \"'AmazonSQS.SendMessage'\"}";
    assert_eq!(found(&method("sqs:SendMessage", header)), NONE);
    let invoke =
        "Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations'";
    assert_eq!(
        found(&method("lambda:InvokeFunction, lambda:GetFunction", invoke)),
        ["`lambda:GetFunction` is granted, but the integration never calls it"]
    );
    let object = "IntegrationHttpMethod: GET, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:s3:path/{bucket}/{key}'";
    assert_eq!(found(&method("s3:GetObject, s3:ListBucket", object)), NONE);
    assert_eq!(
        found(&method("s3:GetObject, s3:DeleteObject", object)),
        ["`s3:DeleteObject` is granted, but the integration never calls it"]
    );
    let listing = "IntegrationHttpMethod: GET, Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:s3:path/{bucket}'";
    let r = Repository::new(&[("template.yaml", &method("s3:ListBucket", listing))]);
    let needs = r.run(&["needs"]).out;
    assert!(
        needs.contains(": s3 ListBucket in the integration\n  needs s3:ListBucket\n"),
        "{needs}"
    );
    // The role of the account may write logs.
    assert_eq!(
        found(&method(
            "dynamodb:PutItem, logs:PutLogEvents, logs:FilterLogEvents",
            put
        )),
        NONE
    );
    for unknown in [
        "Uri: !Ref Other",
        "Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:sqs:path/1/q'",
        "Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:sqs:action/NewThing'",
        "Uri: !Sub 'arn:aws:apigateway:${AWS::Region}:iotdata:path/topics/t'",
    ] {
        assert_eq!(found(&method("s3:GetObject", unknown)), NONE, "{unknown}");
    }
    // An authorizer has the role as well.
    let authorizer = method("dynamodb:PutItem, lambda:InvokeFunction", put)
        + "  Authorizer: {Type: AWS::ApiGateway::Authorizer, Properties: {AuthorizerCredentials: !GetAtt Role.Arn}}\n";
    assert_eq!(found(&authorizer), NONE);
}

#[test]
fn integrations_of_open_api_and_http_apis() {
    let operation = |uri: &str| {
        format!(
            "{{x-amazon-apigateway-integration: {{type: aws, httpMethod: POST, credentials: !GetAtt Role.Arn, uri: !Sub '{uri}'}}}}"
        )
    };
    let body = |actions: &str| {
        let resources = format!(
            "  Api:\n    Type: AWS::ApiGateway::RestApi\n    Properties:\n      Body:\n        openapi: 3.0.1\n        paths:\n          /a:\n            get: {}\n            post: {}\n",
            operation("arn:aws:apigateway:${AWS::Region}:dynamodb:action/Scan"),
            operation("arn:aws:apigateway:${AWS::Region}:dynamodb:action/PutItem"),
        );
        template("apigateway.amazonaws.com", actions, &resources)
    };
    assert_eq!(found(&body("dynamodb:Scan, dynamodb:PutItem")), NONE);
    assert_eq!(
        found(&body("dynamodb:Scan, dynamodb:PutItem, dynamodb:Query")),
        ["`dynamodb:Query` is granted, but the API never calls it"]
    );
    let http = |actions: &str| {
        let resources = "  Send:\n    Type: AWS::ApiGatewayV2::Integration\n    Properties: {ApiId: !Ref Other, IntegrationType: AWS_PROXY, IntegrationSubtype: SQS-SendMessage, CredentialsArn: !GetAtt Role.Arn}\n";
        template("apigateway.amazonaws.com", actions, resources)
    };
    assert_eq!(found(&http("sqs:SendMessage")), NONE);
    assert_eq!(
        found(&http("sqs:*")),
        ["`sqs:*` grants 20 actions; the integration uses 1 of them"]
    );
    let hcl = |actions: &str| {
        terraform(
            "apigateway.amazonaws.com",
            actions,
            r#"data "aws_region" "current" {}
resource "aws_api_gateway_integration" "start" {
  rest_api_id             = var.other
  type                    = "AWS"
  integration_http_method = "POST"
  credentials             = aws_iam_role.role.arn
  uri                     = "arn:aws:apigateway:${data.aws_region.current.name}:states:action/StartExecution"
}
resource "aws_apigatewayv2_integration" "put" {
  api_id              = var.other
  integration_type    = "AWS_PROXY"
  integration_subtype = "EventBridge-PutEvents"
  credentials_arn     = aws_iam_role.role.arn
}
"#,
        )
    };
    assert_eq!(found_hcl(&hcl(r#""states:StartExecution", "events:PutEvents""#)), NONE);
    assert_eq!(
        found_hcl(&hcl(
            r#""states:StartExecution", "states:StopExecution", "events:PutEvents""#
        )),
        ["`states:StopExecution` is granted, but what runs with the role never calls it"]
    );
}

#[test]
fn builds() {
    let project = |actions: &str, commands: &str| {
        let resources = format!(
            "  Build:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      ServiceRole: !GetAtt Role.Arn\n      Source:\n        Type: NO_SOURCE\n        BuildSpec: |\n          version: 0.2\n          phases:\n            build:\n              commands:\n{commands}"
        );
        template("codebuild.amazonaws.com", actions, &resources)
    };
    let lines = |commands: &[&str]| -> String { commands.iter().map(|c| format!("                - {c}\n")).collect() };
    let copy = lines(&[
        "echo start at `date`",
        "export ID=$(aws sts get-caller-identity)",
        "aws s3 cp a s3://b/a",
    ]);
    assert_eq!(
        found(&project("s3:PutObject, s3:ListBucket, logs:PutLogEvents", &copy)),
        NONE
    );
    assert_eq!(
        found(&project("s3:PutObject, dynamodb:PutItem", &copy)),
        ["`dynamodb:PutItem` is granted, but the build never calls it"]
    );
    let push = lines(&[
        "docker build -t x . && docker push x",
        "aws ecr get-login-password | docker login --password-stdin r",
    ]);
    assert_eq!(found(&project("ecr:PutImage, ecr:GetAuthorizationToken", &push)), NONE);
    assert_eq!(
        found(&project("ecr:PutImage, ecr:DeleteRepository", &push)),
        ["`ecr:DeleteRepository` is granted, but the build never calls it"]
    );
    for unknown in [
        "make deploy",
        "aws cloudformation deploy --stack-name s",
        "./run.sh",
        "echo $(./who.sh)",
        "echo `./who.sh`",
        "ls | xargs rm",
        "curl x | bash",
    ] {
        assert_eq!(
            found(&project("dynamodb:PutItem", &lines(&["ls", unknown]))),
            NONE,
            "{unknown}"
        );
    }
    let out = listed(&[("template.yaml", &project("dynamodb:PutItem", &lines(&["make deploy"])))]);
    assert!(
        out.contains(
            "build project Build\n  definition not known: what the command `make deploy` calls is not known\n"
        ),
        "{out}"
    );
    let hcl = |spec: &str| {
        terraform(
            "codebuild.amazonaws.com",
            r#""dynamodb:PutItem""#,
            &format!(
                "resource \"aws_codebuild_project\" \"b\" {{\n  service_role = aws_iam_role.role.arn\n  source {{\n    type = \"NO_SOURCE\"\n    buildspec = {spec}\n  }}\n}}\n"
            ),
        )
    };
    let inline = "<<EOT\nversion: 0.2\nphases:\n  build:\n    commands:\n      - echo a\nEOT";
    assert_eq!(
        found_hcl(&hcl(inline)),
        ["`dynamodb:PutItem` is granted, but the build never calls it"]
    );
    assert_eq!(found_hcl(&hcl("\"buildspec.yml\"")), NONE);
}

#[test]
fn several_users_of_one_role() {
    let both = "  Daily:\n    Type: AWS::Scheduler::Schedule\n    Properties:\n      Target: {RoleArn: !GetAtt Role.Arn, Arn: !GetAtt Queue.Arn}\n  Hourly:\n    Type: AWS::Scheduler::Schedule\n    Properties:\n      Target: {RoleArn: !GetAtt Role.Arn, Arn: !Ref Machine}\n";
    let text = |actions: &str| template("scheduler.amazonaws.com", actions, both);
    assert_eq!(found(&text("sqs:SendMessage, states:StartExecution")), NONE);
    assert_eq!(
        found(&text("sqs:SendMessage, states:StartExecution, s3:GetObject")),
        ["`s3:GetObject` is granted, but what runs with the role never calls it"]
    );
    // Code with the role.
    let code =
        "import boto3\n\n\ndef handler(event, context):\n    boto3.client('s3').get_object(Bucket='b', Key='k')\n";
    let with_code = text("sqs:SendMessage, states:StartExecution, s3:GetObject, s3:PutObject")
        .replace(
            "Service: scheduler.amazonaws.com",
            "Service: [scheduler.amazonaws.com, lambda.amazonaws.com]",
        )
        .replace(
            "Runtime: nodejs22.x, Handler: index.handler, Code: {S3Bucket: b, S3Key: k}",
            "Runtime: python3.13, Handler: app.handler, Role: !GetAtt Role.Arn, Code: src",
        );
    assert_eq!(
        found_in(&[("template.yaml", &with_code), ("src/app.py", code)]),
        ["`s3:PutObject` is granted, but what runs with the role never calls it"]
    );
    // Someone else is trusted, or a setting that is not compared names the role.
    let trusts = text("s3:GetObject").replace(
        "Service: scheduler.amazonaws.com",
        "Service: [scheduler.amazonaws.com, glue.amazonaws.com]",
    );
    assert!(!found(&trusts).iter().any(|m| m.contains("is granted")));
    let named = text("sqs:SendMessage, states:StartExecution, s3:GetObject")
        + "  Custom: {Type: Custom::Thing, Properties: {ServiceToken: !GetAtt Function.Arn, Role: !GetAtt Role.Arn}}\n";
    assert_eq!(found(&named), NONE);
    let out = listed(&[("template.yaml", &named)]);
    assert!(
        out.contains("not compared by unused-grant: something that is not compared has the role here as well: give each its own role\n"),
        "{out}"
    );
}

#[test]
fn what_is_listed() {
    let resources = "  Daily:\n    Type: AWS::Scheduler::Schedule\n    Properties:\n      Target: {RoleArn: !GetAtt Role.Arn, Arn: !GetAtt Queue.Arn}\n  Hourly:\n    Type: AWS::Scheduler::Schedule\n    Properties:\n      Target: {RoleArn: !Ref Other, Arn: !Ref Other}\n  Notebook:\n    Type: AWS::SageMaker::NotebookInstance\n    Properties: {RoleArn: !GetAtt Role.Arn}\n  Job:\n    Type: AWS::Batch::JobDefinition\n    Properties: {ContainerProperties: {Image: i, JobRoleArn: !GetAtt Role.Arn}}\n  Site:\n    Type: AWS::AppRunner::Service\n    Properties: {InstanceConfiguration: {InstanceRoleArn: !GetAtt Role.Arn}}\n  Probe:\n    Type: AWS::Synthetics::Canary\n    Properties: {ExecutionRoleArn: !GetAtt Role.Arn}\n";
    let text = template("scheduler.amazonaws.com", "sqs:SendMessage", resources);
    let out = listed(&[("template.yaml", &text)]);
    for part in [
        "schedule Daily\n  definition: template.yaml:25:48\n",
        "schedule Hourly\n  definition not known: what the target needs is not known here\n",
        "SageMaker resource Notebook\n  definition not known: notebooks, models, and jobs of SageMaker are not read\n",
        "batch job Job\n  code not known: what its containers start is not read: name the code in the settings\n",
        "App Runner service Site\n  definition not known: App Runner services are not read\n",
        "canary Probe\n  definition not known: canaries are not read\n",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let alone = template(
        "scheduler.amazonaws.com",
        "sqs:*",
        "  Daily:\n    Type: AWS::Scheduler::Schedule\n    Properties:\n      Target: {RoleArn: !GetAtt Role.Arn, Arn: !GetAtt Queue.Arn}\n",
    );
    let r = Repository::new(&[("template.yaml", &alone)]);
    let json = r.run(&["workloads", "--format", "json"]).json();
    let all = json["workloads"].as_array().unwrap();
    let daily = all.iter().find(|w| w["name"] == "Daily").unwrap();
    assert_eq!(daily["kind"], "schedule");
    assert_eq!(
        daily["figures"],
        serde_json::json!({"calls": 1, "needed": 1, "granted": 20})
    );
    assert_eq!(daily["unused_grant"]["compared"], true);
    let needs = r.run(&["needs", "--format", "json"]).json();
    assert_eq!(needs["calls"][0]["service"], "sqs");
    assert_eq!(needs["calls"][0]["method"], "SendMessage");
    assert_eq!(needs["calls"][0]["in"], "target");
    assert_eq!(needs["calls"][0]["reached_from"], serde_json::json!(["Daily"]));
}

/// Each action that the table names exists, and each entry is one that the code asks for.
#[test]
fn facts_about_targets() {
    let text = include_str!("../../rules/facts/hand/target-needs.txt");
    let rows: Vec<(&str, &str)> = text
        .lines()
        .filter(|l| !l.starts_with('#') && !l.is_empty())
        .map(|l| l.split_once('\t').unwrap_or_else(|| panic!("{l}")))
        .collect();
    assert!(rows.windows(2).all(|two| two[0].0 < two[1].0), "the rows are sorted");
    let words = ["arn", "client", "command", "helper", "type"];
    let mut wrong = Vec::new();
    for (key, actions) in rows {
        let kind = key.split(' ').next().unwrap_or(key);
        if words.contains(&kind) {
            continue;
        }
        let known = |a: &str| !iam::ActionSet::expand(a).is_empty();
        wrong.extend(actions.split(", ").filter(|a| !known(a)).map(|a| format!("{key}: {a}")));
        if !key.ends_with(" perhaps") {
            wrong.extend(
                actions
                    .split(", ")
                    .filter(|a| a.contains('*'))
                    .map(|a| format!("{key}: {a}")),
            );
        }
    }
    assert_eq!(wrong, NONE);
}
