//! `serverless.yml`: variables, functions, roles, resources. Expected values: Serverless Framework documentation,
//! "Variables", "IAM Permissions For Functions", "AWS Infrastructure Resources" (resource naming).

use overgrant::internals::formats::Format as _;
use overgrant::internals::formats::serverless::Serverless;
use overgrant::internals::iam::SourceFormat;
use overgrant::internals::model::LoweredUnit;
use overgrant::internals::source::Sources;

use crate::cloudformation_eval::{find, show, written};

fn lower_template(files: &[(&str, &str)]) -> (Sources, Vec<LoweredUnit>) {
    let sources = Sources::from_strings(files);
    let ids: Vec<_> = sources
        .ids()
        .filter(|id| sources.path(*id).ends_with("serverless.yml"))
        .collect();
    let units = Serverless.lower(&sources, &ids);
    assert!(units[0].problems.is_empty(), "{:?}", units[0].problems);
    (sources, units)
}

#[test]
fn the_shared_role_holds_the_statements() {
    let text = r#"service: s
provider:
  name: aws
  runtime: python3.13
  environment: {A: one, B: two}
  iam:
    role:
      name: custom
      permissionsBoundary: arn:aws:iam::123456789012:policy/b
      managedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess']
      statements:
        - Effect: Allow
          Action: 's3:*'
          Resource: !Sub "arn:aws:s3:::${Bucket}/*"
functions:
  my-first_fn:
    handler: src/app.run
    environment: {A: own}
  other:
    handler: src/app.other
    url: true
resources:
  Resources:
    Bucket: {Type: AWS::S3::Bucket}
"#;
    let (sources, units) = lower_template(&[("serverless.yml", text)]);
    let role = find(&units, "IamRoleLambdaExecution");
    assert_eq!((&*role.kind, role.format), ("AWS::IAM::Role", SourceFormat::Serverless));
    assert_eq!(sources.slice(role.header), "statements");
    assert_eq!(
        show(role.get("Policies").unwrap()),
        "[{PolicyName: lambda, PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: s3:*, Resource: arn:aws:s3:::${Bucket}/*}]}}, \
         {PolicyName: logs, GeneratedFor: logs, PolicyDocument: {Version: 2012-10-17, Statement: [\
         {Effect: Allow, Action: [logs:CreateLogStream, logs:CreateLogGroup, logs:TagResource], \
         Resource: [arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/s-dev*:*]}, \
         {Effect: Allow, Action: [logs:PutLogEvents], \
         Resource: [arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/s-dev*:*:*]}]}}]"
    );
    assert!(role.get("GeneratedManagedPolicyArns").is_none());
    let statement = role.get("Policies").unwrap().items()[0]
        .path(&["PolicyDocument", "Statement"])
        .unwrap();
    assert_eq!(
        written(&sources, statement),
        "[{Effect: Allow, Action: s3:*, Resource: arn:aws:s3:::|${Bucket}|/*}]"
    );
    assert_eq!(
        show(role.get("ManagedPolicyArns").unwrap()),
        "[arn:aws:iam::aws:policy/ReadOnlyAccess]"
    );
    assert_eq!(show(role.get("RoleName").unwrap()), "custom");
    assert_eq!(
        show(role.get("PermissionsBoundary").unwrap()),
        "arn:aws:iam::123456789012:policy/b"
    );
    let function = find(&units, "MyDashfirstUnderscorefnLambdaFunction");
    assert_eq!(sources.slice(function.header), "my-first_fn");
    assert_eq!(show(function.get("Role").unwrap()), "${IamRoleLambdaExecution.Arn}");
    assert_eq!(
        show(function.get("Environment").unwrap()),
        "{Variables: {A: own, B: two}}"
    );
    assert_eq!(show(function.get("Handler").unwrap()), "src/app.run");
    assert_eq!(show(function.get("Runtime").unwrap()), "python3.13");
    let url = find(&units, "OtherLambdaFunctionUrl");
    assert_eq!(show(url.get("AuthType").unwrap()), "NONE");
    assert_eq!(&*find(&units, "Bucket").kind, "AWS::S3::Bucket");
}

#[test]
fn older_spellings_and_roles_per_function() {
    let text = r#"service: s
provider:
  name: aws
  iamRoleStatements:
    - {Effect: Allow, Action: 'sqs:SendMessage', Resource: '*'}
  iamManagedPolicies: ['arn:aws:iam::aws:policy/A']
functions:
  alone:
    handler: a.b
    iamRoleStatements:
      - {Effect: Allow, Action: 's3:*', Resource: '*'}
  both:
    handler: a.b
    iamRoleStatementsInherit: true
    iamRoleStatements:
      - {Effect: Allow, Action: 'ec2:*', Resource: '*'}
  inside: {handler: a.b, vpc: {subnetIds: [a]}}
  named: {handler: a.b, role: CustomRole}
  arn: {handler: a.b, role: 'arn:aws:iam::123456789012:role/x'}
  got: {handler: a.b, role: !GetAtt CustomRole.Arn}
"#;
    let (sources, units) = lower_template(&[("serverless.yml", text)]);
    let shared = find(&units, "IamRoleLambdaExecution");
    assert!(show(shared.get("Policies").unwrap()).contains("sqs:SendMessage"));
    let added = show(shared.get("GeneratedManagedPolicyArns").unwrap());
    assert!(added.contains("AWSLambdaVPCAccessExecutionRole"), "{added}");
    let alone = find(&units, "AloneIamRoleLambdaExecution");
    assert!(alone.get("GeneratedManagedPolicyArns").is_none());
    assert_eq!(sources.slice(alone.header), "iamRoleStatements");
    assert!(!show(alone.get("Policies").unwrap()).contains("sqs:SendMessage"));
    let both = show(find(&units, "BothIamRoleLambdaExecution").get("Policies").unwrap());
    assert!(both.contains("ec2:*") && both.contains("sqs:SendMessage"));
    let role = |id: &str| show(find(&units, id).get("Role").unwrap());
    assert_eq!(role("AloneLambdaFunction"), "${AloneIamRoleLambdaExecution.Arn}");
    assert_eq!(role("NamedLambdaFunction"), "${CustomRole.Arn}");
    assert_eq!(role("ArnLambdaFunction"), "arn:aws:iam::123456789012:role/x");
    assert_eq!(role("GotLambdaFunction"), "${CustomRole.Arn}");
}

#[test]
fn a_role_that_exists_already() {
    for provider in [
        "iam: {role: 'arn:aws:iam::123456789012:role/x'}",
        "role: 'arn:aws:iam::123456789012:role/x'",
    ] {
        let text = format!(
            r"service: s
provider:
  name: aws
  {provider}
functions:
  f: {{handler: a.b}}
"
        );
        let (_, units) = lower_template(&[("serverless.yml", &text)]);
        let names: Vec<_> = units[0].resources.iter().map(|r| &*r.address.name).collect();
        assert_eq!(names, ["FLambdaFunction"]);
        let role = find(&units, "FLambdaFunction").get("Role").unwrap();
        assert_eq!(show(role), "arn:aws:iam::123456789012:role/x");
    }
}

/// What `value` of a function's environment amounts to, and where it is written.
fn variable(value: &str) -> (String, String) {
    let text = format!(
        r#"service: s
provider:
  name: aws
  stage: ${{opt:stage, 'prod'}}
custom:
  table: users
  nested: {{prod: {{arn: "arn:aws:s3:::b"}}}}
  list: [a, b]
  loop: ${{self:custom.loop}}
  all: ${{file(vars/all.yml)}}
params: {{default: {{level: high}}}}
functions:
  f:
    handler: a.b
    environment:
      V: {value}
"#
    );
    let files = [
        ("app/serverless.yml", text.as_str()),
        (
            "app/vars/all.yml",
            "deep: {name: from-file, table: '${self:custom.table}'}\n",
        ),
        ("app/policy.json", r#"{"Statement": []}"#),
    ];
    let (sources, units) = lower_template(&files);
    let function = find(&units, "FLambdaFunction");
    let value = function.path(&["Environment", "Variables", "V"]).unwrap();
    (show(value), written(&sources, value))
}

#[test]
fn variables() {
    let cases = [
        ("${self:custom.table}", "users", "users"),
        ("x-${self:custom.table}-y", "x-users-y", "x-|${self:custom.table}|-y"),
        ("${self:provider.stage}", "prod", "${opt:stage, 'prod'}"),
        ("${sls:stage}", "prod", "${opt:stage, 'prod'}"),
        (
            "${self:custom.nested.${self:provider.stage}.arn}",
            "arn:aws:s3:::b",
            "arn:aws:s3:::b",
        ),
        ("${self:custom.list}", "[a, b]", "[a, b]"),
        ("${self:custom.list.1}", "b", "b"),
        (
            "${self:custom.gone, 'fallback'}",
            "fallback",
            "${self:custom.gone, 'fallback'}",
        ),
        ("${self:custom.gone, self:custom.table}", "users", "users"),
        ("${self:custom.gone}", "${custom.gone}", "${self:custom.gone}"),
        ("${env:TOKEN}", "${env:TOKEN}", "${env:TOKEN}"),
        ("${opt:name, 5}", "5", "${opt:name, 5}"),
        ("${param:level}", "high", "high"),
        ("${file(./vars/all.yml):deep.name}", "from-file", "from-file"),
        ("${self:custom.all.deep.table}", "users", "users"),
        ("${file(policy.json)}", "{Statement: []}", r#"{"Statement": []}"#),
        ("${file(gone.yml):a}", "?file(gone.yml):a", "${file(gone.yml):a}"),
        ("${file(config.js):a}", "?file(config.js):a", "${file(config.js):a}"),
        ("${ssm:/app/key}", "${ssm:/app/key}", "${ssm:/app/key}"),
        ("${cf:stack.Output}", "${cf:stack.Output}", "${cf:stack.Output}"),
        (
            "'arn:aws:s3:${aws:region}:${aws:accountId}:x'",
            "arn:aws:s3:${aws:region}:${aws:accountId}:x",
            "arn:aws:s3:|${aws:region}|:|${aws:accountId}|:x",
        ),
        ("'#{AWS::AccountId}-x'", "${AWS::AccountId}-x", "#{AWS::AccountId}|-x"),
        (
            "!Sub '${AWS::Region}-${self:custom.table}'",
            "${AWS::Region}-users",
            "${AWS::Region}|-|${self:custom.table}",
        ),
        (
            "!Join ['-', [a, '${self:custom.table}']]",
            "a-users",
            "a|${self:custom.table}|${self:custom.table}",
        ),
        ("'${AWS::Region}'", "${AWS::Region}", "${AWS::Region}"),
    ];
    let mut wrong = String::new();
    for (expression, expected, places) in cases {
        let (shown, slices) = variable(expression);
        if shown != expected || slices != places {
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
fn variables_that_refer_to_themselves_end() {
    let (shown, _) = variable("${self:custom.loop}");
    assert!(shown.contains("refers to itself"), "{shown}");
    let mut text = String::from(
        r"service: s
provider: {name: aws}
custom:
  a0: xxxxxxxxxx
",
    );
    for i in 1..60 {
        text.push_str(&format!(
            "  a{i}: ${{self:custom.a{}}}${{self:custom.a{}}}\n",
            i - 1,
            i - 1
        ));
    }
    text.push_str(
        r"functions:
  f: {handler: '${self:custom.a59}'}
",
    );
    let (_, units) = lower_template(&[("serverless.yml", &text)]);
    assert_eq!(units[0].resources.len(), 2);
}

#[test]
fn resources_may_be_a_list_of_files() {
    let text = r"service: s
provider: {name: aws}
functions: {f: {handler: a.b, role: Role}}
resources:
  - Resources: {Own: {Type: AWS::SNS::Topic, Properties: {Name: '${self:service}'}}}
  - ${file(res/role.yml)}
  - ${file(res/gone.yml)}
";
    let role = r"Resources:
  Role:
    Type: AWS::IAM::Role
    Properties: {RoleName: '${self:service}-role', Topic: !Ref Own}
";
    let (sources, units) = lower_template(&[("a/serverless.yml", text), ("a/res/role.yml", role)]);
    assert_eq!(show(&find(&units, "Own").props), "{Name: s}");
    let role = find(&units, "Role");
    assert_eq!(show(&role.props), "{RoleName: s-role, Topic: ${Own}}");
    assert_eq!(sources.path(role.header.file), "a/res/role.yml");
    assert_eq!(&*role.address.scope, "a/serverless.yml");
    assert_eq!(units[0].wanted, ["a/res/gone.yml"]);
}

#[test]
fn api_policies_and_other_clouds() {
    let text = r"service: s
provider:
  name: aws
  apiGateway:
    resourcePolicy:
      - {Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*'}
functions: {}
";
    let (_, units) = lower_template(&[("serverless.yml", text)]);
    let api = find(&units, "ApiGatewayRestApi");
    assert!(show(api.get("Policy").unwrap()).contains("Principal: *"));
    let (_, units) = lower_template(&[(
        "serverless.yml",
        r"service: s
provider: {name: google}
functions: {f: {handler: x}}
",
    )]);
    assert!(units[0].resources.is_empty());
}

#[test]
fn each_stage_has_its_value() {
    let acl = |variable: &str| {
        format!(
            r"service: s
custom:
  acl:
    dev: private
    prod: public-read
    other: {{acl: private}}
provider:
  name: aws
  stage: dev
resources:
  Resources:
    B:
      Type: AWS::S3::Bucket
      Properties:
        AccessControl: {variable}
"
        )
    };
    for (variable, expected) in [
        ("${self:custom.acl.${opt:stage}}", ["private", "public-read"].as_slice()),
        (
            "${self:custom.acl.${sls:stage}, 'authenticated-read'}",
            &["private", "public-read", "authenticated-read"],
        ),
        ("${self:custom.acl.${opt:stage, 'dev'}}", &["private", "public-read"]),
        ("${self:custom.acl.dev}", &["private"]),
    ] {
        let (_, units) = lower_template(&[("serverless.yml", &acl(variable))]);
        let bucket = units
            .iter()
            .flat_map(|u| &u.resources)
            .find(|r| &*r.kind == "AWS::S3::Bucket")
            .unwrap();
        let shown = format!("{:?}", bucket.get("AccessControl").unwrap());
        for word in expected {
            assert!(shown.contains(word), "{variable}: {shown}");
        }
        assert_eq!(
            shown.contains("public-read"),
            expected.contains(&"public-read"),
            "{variable}: {shown}"
        );
    }
}

#[test]
fn variables_without_end_are_unknown_and_limit_nothing_else() {
    use std::fmt::Write as _;
    let mut doubled = r"service: s
custom:
  a0: x
"
    .to_owned();
    for i in 1..40 {
        let _ = writeln!(doubled, "  a{i}: ${{self:custom.a{0}}}${{self:custom.a{0}}}", i - 1);
    }
    let cycle = r"service: s
custom:
  a39: ${self:custom.b}
  b: ${self:custom.a39}
"
    .to_owned();
    for custom in [doubled, cycle] {
        let text = format!(
            r"{custom}provider:
  name: aws
  iam:
    role:
      statements:
        - Effect: Allow
          Action: s3:GetObject
          Resource: 'arn:aws:s3:::${{self:custom.a39}}/*'
        - Effect: Allow
          Action: iam:*
          Resource: '*'
"
        );
        let ran =
            crate::support::repository::Repository::new(&[("serverless.yml", &text)]).run(&["check", "-f", "json"]);
        let json = ran.json();
        let rules: Vec<&str> = json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["rule"].as_str().unwrap())
            .collect();
        assert_eq!(rules, ["service-wildcard"], "{json:#}");
    }
}
