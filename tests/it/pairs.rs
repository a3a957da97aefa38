//! Whether the resource that code names is one that the policy names: secrets, parameters, buses, models, keys, roles.

use crate::usage::{sam, usage_findings};

/// A SAM template with one function that has these properties, and these resources in addition.
fn function_template(properties: &str, resources: &str) -> String {
    let besides: String = resources.trim().lines().map(|l| format!("  {l}\n")).collect();
    format!("{}{besides}", sam(properties))
}

/// One statement on one resource, code that calls something, and whether it is there.
#[track_caller]
fn reaches(action: &str, resource: &str, environment: &str, resources: &str, code: &str, expected: bool) {
    let template = function_template(
        &format!(
            r"Environment:
  Variables: {{{environment}}}
Policies:
  - Statement:
      - Effect: Allow
        Action: '{action}'
        Resource: {resource}"
        ),
        resources,
    );
    let code = format!(
        r"import boto3, os
def handler(e, c):
    {code}
"
    );
    let found = usage_findings(&[("template.yaml", &template), ("src/app.py", &code)]);
    let missing = found.iter().any(|f| f.starts_with("missing-grant "));
    assert_eq!(!missing, expected, "{resource} {code}: {found:?}");
}

#[test]
fn secrets_by_name_and_arn() {
    let secrets = r"Db: {Type: AWS::SecretsManager::Secret}
Api: {Type: AWS::SecretsManager::Secret, Properties: {Name: acme/api}}";
    let at = |resource: &str, id: &str, expected: bool| {
        reaches(
            "secretsmanager:GetSecretValue",
            resource,
            "DB: !Ref Db, API: acme/api",
            secrets,
            &format!("boto3.client('secretsmanager').get_secret_value(SecretId={id})"),
            expected,
        );
    };
    at("!Ref Db", "os.environ['DB']", true);
    at("!Ref Api", "os.environ['API']", true);
    at("!Ref Api", "'acme/api'", true);
    at("!Ref Db", "'acme/api'", false);
    at("!Ref Api", "os.environ['DB']", false);
    for pattern in [
        "secret:acme/*",
        "secret:acme/api-*",
        "secret:acme/api-??????",
        "secret:acme/api-AbCdEf",
        "secret:acme/api",
    ] {
        at(
            &format!("!Sub 'arn:aws:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:{pattern}'"),
            "os.environ['API']",
            true,
        );
    }
    at("arn:aws:secretsmanager:*:*:secret:acme/db-*", "'acme/api'", false);
    at("arn:aws:secretsmanager:*:*:secret:acme/db-??????", "'acme/api'", false);
    // What looks like the characters that AWS adds may be part of the name.
    at(
        "arn:aws:secretsmanager:*:*:secret:acme/my-secret-*",
        "'arn:aws:secretsmanager:eu-west-1:111122223333:secret:acme/my-secret'",
        true,
    );
    at("arn:aws:secretsmanager:*:*:secret:acme/db-*", "e['secret']", true);
}

#[test]
fn parameters_by_name_and_path() {
    let parameters = "Host: {Type: AWS::SSM::Parameter, Properties: {Name: /acme/db/host, Type: String, Value: h}}";
    let at = |resource: &str, code: &str, expected: bool| {
        let action = if code.contains("by_path") {
            "ssm:GetParametersByPath"
        } else {
            "ssm:GetParameter*"
        };
        let code = format!("boto3.client('ssm').{code}");
        reaches(action, resource, "HOST: !Ref Host", parameters, &code, expected);
    };
    let sub = |name: &str| format!("!Sub 'arn:aws:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter{name}'");
    at(&sub("/acme/*"), "get_parameter(Name='/acme/db/host')", true);
    at(&sub("/acme/*"), "get_parameter(Name=os.environ['HOST'])", true);
    at(&sub("${Host}"), "get_parameter(Name=os.environ['HOST'])", true);
    at(&sub("/${Host}"), "get_parameter(Name='/acme/db/host:3')", true);
    at(&sub("/other/*"), "get_parameter(Name=os.environ['HOST'])", false);
    at(&sub("/other/*"), "get_parameters(Names=['/acme/db/host'])", false);
    at(&sub("/other/*"), "get_parameter(Name='/aws/service/ami')", true);
    at(&sub("/acme/db/*"), "get_parameters_by_path(Path='/acme')", true);
    at(&sub("/other/*"), "get_parameter(Name=f'/{e}/host')", true);
}

#[test]
fn buses_models_keys_and_roles() {
    let buses = "Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}";
    let put = |entry: &str| format!("boto3.client('events').put_events(Entries=[{entry}])");
    let bus = |resource: &str, entry: &str, expected: bool| {
        reaches(
            "events:PutEvents",
            resource,
            "BUS: !Ref Bus",
            buses,
            &put(entry),
            expected,
        );
    };
    bus(
        "!GetAtt Bus.Arn",
        "{'Source': 's', 'EventBusName': os.environ['BUS']}",
        true,
    );
    bus("!GetAtt Bus.Arn", "{'Source': 's', 'EventBusName': 'invoices'}", false);
    bus("!GetAtt Bus.Arn", "{'Source': 's'}", false);
    bus("!GetAtt Bus.Arn", "e", true);
    let invoke = |id: &str| format!("boto3.client('bedrock-runtime').invoke_model(modelId={id}, body='')");
    let model = |resource: &str, id: &str, expected: bool| {
        let resource = format!("arn:aws:bedrock:*::foundation-model/{resource}");
        reaches(
            "bedrock:InvokeModel",
            &resource,
            "MODEL: amazon.nova-lite-v1:0",
            "",
            &invoke(id),
            expected,
        );
    };
    model("anthropic.*", "'anthropic.claude-3-haiku-20240307-v1:0'", true);
    model("anthropic.*", "os.environ['MODEL']", false);
    model("amazon.nova-lite-v1:0", "os.environ['MODEL']", true);
    model("anthropic.*", "'eu.amazon.nova-lite-v1:0'", true);
    let keys = r"One: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: [{Effect: Allow, Principal: '*', Action: 'kms:Describe*', Resource: '*'}]}}}
Two: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: [{Effect: Allow, Principal: '*', Action: 'kms:Describe*', Resource: '*'}]}}}";
    let key = |id: &str, expected: bool| {
        let code = format!("boto3.client('kms').sign(KeyId={id}, Message=b'', SigningAlgorithm='RSASSA_PSS_SHA_256')");
        reaches(
            "kms:Sign",
            "!GetAtt One.Arn",
            "ONE: !Ref One, TWO: !GetAtt Two.Arn",
            keys,
            &code,
            expected,
        );
    };
    key("os.environ['ONE']", true);
    key("os.environ['TWO']", false);
    key("'alias/two'", true);
    key("'1234abcd-12ab-34cd-56ef-1234567890ab'", true);
    let roles = r"Job: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}
Other: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}";
    let pass = |role: &str, expected: bool| {
        let code = format!("boto3.client('glue').create_job(Name='j', Role={role}, Command={{}})");
        reaches(
            "*",
            "[!GetAtt Job.Arn, 'arn:aws:glue:*:*:job/*']",
            "JOB: !GetAtt Job.Arn, OTHER: !GetAtt Other.Arn",
            roles,
            &code,
            expected,
        );
    };
    pass("os.environ['JOB']", true);
    pass("os.environ['OTHER']", false);
    pass("e['role']", true);
}
