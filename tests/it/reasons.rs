//! Why something is not compared, as `overgrant workloads` says it: the reason is true, and says what to do.

use crate::support::repository::Repository;

const SEND: &str = "import boto3\n\n\ndef handler(event, context):\n    \
                    boto3.client('sqs').send_message(QueueUrl='q', MessageBody='m')\n";

fn listed(files: &[(&str, &str)]) -> String {
    let ran = Repository::new(files).run(&["workloads"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

#[track_caller]
fn says(files: &[(&str, &str)], line: &str) {
    let out = listed(files);
    assert!(out.contains(line), "{line}\n{out}");
}

/// A function with code in the template.
fn inline(handler: &str, code: &str, principal: &str) -> String {
    format!(
        "Parameters:\n  Name: {{Type: String}}\nResources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      \
         AssumeRolePolicyDocument: {{Statement: [{{Effect: Allow, Principal: {{Service: {principal}}}, Action: \
         sts:AssumeRole}}]}}\n      Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{{Effect: Allow, Action: \
         [sqs:SendMessage, sns:Publish], Resource: '*'}}]}}}}]\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      \
         Runtime: python3.13\n      Handler: {handler}\n      Role: !GetAtt Role.Arn\n      Code:\n        ZipFile: {code}\n"
    )
}

#[test]
fn a_handler_that_is_not_known() {
    let template = inline("!Ref Name", "'x = 1'", "lambda.amazonaws.com");
    says(
        &[("template.yaml", &template)],
        "code not known: the handler is `${Name}`, which is not known here: name the code and its `entry` in the settings\n",
    );
}

#[test]
fn a_file_that_rain_embeds_is_the_code() {
    let template = inline("index.handler", "!Rain::Embed code.py", "lambda.amazonaws.com");
    let files = [("template.yaml", template.as_str()), ("code.py", SEND)];
    says(&files, "  compared: 1 call needs 1 action, the role grants 2 actions\n");
}

#[test]
fn lambda_by_the_suffix_of_its_partition_is_lambda() {
    let own = inline(
        "index.handler",
        "!Rain::Embed code.py",
        "!Sub 'lambda.${AWS::URLSuffix}'",
    );
    says(
        &[("template.yaml", &own), ("code.py", SEND)],
        "  compared: 1 call needs 1 action",
    );
    let other = inline("index.handler", "!Rain::Embed code.py", "!Sub 'ec2.${AWS::URLSuffix}'");
    says(
        &[("template.yaml", &other), ("code.py", SEND)],
        "the role also trusts `ec2.${AWS::URLSuffix}`",
    );
}

#[test]
fn a_service_of_the_serverless_framework_without_a_runtime_is_one_of_node() {
    let service = "service: s\nprovider: {name: aws}\nfunctions:\n  f: {handler: src/handler.main}\n";
    says(
        &[("serverless.yml", service)],
        "code not known: the runtime is `nodejs`, and only Python is read\n",
    );
}

#[test]
fn constructs_of_the_cdk_that_only_its_output_shows() {
    let stack = "from aws_cdk import Stack, aws_lambda as lambda_, aws_stepfunctions as sfn, aws_pipes_alpha as pipes\n\n\nclass \
                 Own(lambda_.Function):\n    pass\n\n\nclass Main(Stack):\n    def __init__(self, scope, name):\n        \
                 super().__init__(scope, name)\n        sfn.StateMachine(self, 'Machine', definition_body=body)\n        \
                 pipes.Pipe(self, 'Pipe', source=a, target=b)\n        Own(self, 'Own')\n";
    let out = listed(&[("stack.py", stack)]);
    for name in [
        "state machine Main/Machine\n",
        "pipe Main/Pipe\n",
        "function Main/Own\n",
    ] {
        assert!(out.contains(name), "{name}\n{out}");
    }
    assert!(
        out.contains("  definition not known: the CDK decides it: run `cdk synth`, then name `cdk.out`\n"),
        "{out}"
    );
    let typescript = "import * as iam from 'aws-cdk-lib/aws-iam';\nnew iam.PolicyStatement({ actions: ['s3:*'], resources: ['*'] });\n";
    says(
        &[("lib/stack.ts", typescript)],
        "run `cdk synth`, then check `cdk.out`\n",
    );
}

#[test]
fn what_may_be_another_identity_has_a_place() {
    let template = inline("index.handler", "!Rain::Embed code.py", "lambda.amazonaws.com");
    let code = SEND.replace("'sqs')", "'sqs', endpoint_url='https://queue.example.com')");
    says(
        &[("template.yaml", &template), ("code.py", &code)],
        "so which calls need the role is not certain\n    code.py:5:38\n",
    );
}
