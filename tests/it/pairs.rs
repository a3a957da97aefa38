//! Functions and their roles as public samples have them, rewritten small: what is granted too much, and what is missing.

use crate::usage::{found, in_sam, in_terraform, sam, terraform};

/// The statements of a function in SAM that allow these actions.
fn statement(actions: &str) -> String {
    format!("Policies:\n  - Statement:\n      - Effect: Allow\n        Action: {actions}\n        Resource: '*'")
}

/// Reads need their own actions and nothing else; so do most operations that start, stop and delete.
#[test]
fn operations_that_need_no_more_than_their_own_actions() {
    in_terraform(
        "  statement {\n    actions   = [\"ec2:Start*\", \"ec2:Stop*\"]\n    resources = [\"*\"]\n  }",
        "import boto3\nec2 = boto3.client('ec2')\ndef handler(e, c):\n    ids = []\n    for page in ec2.get_paginator('describe_instances').paginate():\n        ids += [i['InstanceId'] for r in page['Reservations'] for i in r['Instances']]\n    ec2.stop_instances(InstanceIds=ids)\n    ec2.start_instances(InstanceIds=ids)\n",
        &["missing-grant ec2.get_paginator", "unused-grant \"ec2:Start*\""],
    );
    in_sam(
        &statement("['ecr:*']"),
        "import boto3\necr = boto3.client('ecr')\ndef handler(e, c):\n    for repository in ecr.describe_repositories()['repositories']:\n        old = ecr.list_images(repositoryName=repository['repositoryName'])['imageIds']\n        ecr.batch_delete_image(repositoryName=repository['repositoryName'], imageIds=old)\n",
        &["unused-grant 'ecr:*'"],
    );
    // A token for a registry is for anyone who pulls with it.
    in_sam(
        &statement("['ecr:GetAuthorizationToken', 'ecr:BatchGetImage']"),
        "import boto3\ndef handler(e, c):\n    return boto3.client('ecr').get_authorization_token()\n",
        &[],
    );
    in_sam(
        &statement("['rekognition:DetectLabels', 's3:GetObject', 's3:PutObject']"),
        "import boto3\neyes = boto3.client('rekognition')\ndef handler(e, c):\n    return eyes.detect_labels(Image={'S3Object': {'Bucket': e['b'], 'Name': e['k']}})\n",
        &["unused-grant 's3:PutObject'"],
    );
    in_sam(
        &statement("['states:SendTaskSuccess', 'states:SendTaskFailure', 'states:SendTaskHeartbeat']"),
        "import boto3\nsfn = boto3.client('stepfunctions')\ndef handler(e, c):\n    if e['ok']:\n        sfn.send_task_success(taskToken=e['t'], output='{}')\n    else:\n        sfn.send_task_failure(taskToken=e['t'])\n",
        &["unused-grant 'states:SendTaskHeartbeat'"],
    );
}

/// The roles that a task definition names are passed by anyone who runs it.
#[test]
fn tasks_are_run_with_their_definitions_roles() {
    in_sam(
        &statement("['ecs:RunTask', 'ecs:DescribeTasks', 'iam:PassRole']"),
        "import boto3, os\necs = boto3.client('ecs')\ndef handler(e, c):\n    return ecs.run_task(cluster=os.environ['C'], taskDefinition=os.environ['T'], launchType='FARGATE')\n",
        &["unused-grant 'ecs:DescribeTasks'"],
    );
}

/// boto3's `S3Transfer` calls what its client would.
#[test]
fn transfers_are_their_clients_calls() {
    let code = "import boto3\nfrom boto3.s3.transfer import S3Transfer\ndef handler(e, c):\n    S3Transfer(boto3.client('s3')).upload_file('/tmp/x', 'b', 'k', extra_args={'ACL': 'bucket-owner-full-control'})\n";
    in_sam(
        &statement("['s3:PutObject', 's3:PutObjectAcl', 's3:GetObject']"),
        code,
        &["unused-grant 's3:GetObject'"],
    );
}

/// Powertools' persistence needs four actions of its table, and no other.
#[test]
fn idempotency_needs_four_actions() {
    in_sam(
        &statement(
            "['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:Scan']",
        ),
        "from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent\n@idempotent(persistence_store=DynamoDBPersistenceLayer(table_name='seen'))\ndef handler(e, c):\n    return {}\n",
        &["unused-grant 'dynamodb:Scan'"],
    );
}

/// Of a library's module that is imported whole, what the code reads of it counts.
#[test]
fn parameters_are_read_and_not_written() {
    let policy = statement(
        "['ssm:GetParameter', 'ssm:PutParameter', 'secretsmanager:GetSecretValue', 'secretsmanager:CreateSecret']",
    );
    let code = |uses: &str| {
        format!(
            "from aws_lambda_powertools.utilities import parameters\ndef handler(e, c):\n    return parameters.get_parameter('/a'), parameters.get_secret('s'){uses}\n"
        )
    };
    let found = "unused-grant 'ssm:PutParameter', 'secretsmanager:CreateSecret'";
    in_sam(&policy, &code(""), &[found]);
    // A secret that is not there is made.
    in_sam(
        &policy.replace("CreateSecret'", "CreateSecret', 'secretsmanager:PutSecretValue'"),
        &code(", parameters.set_secret('s', 'v')"),
        &["unused-grant 'ssm:PutParameter'"],
    );
    // Handed on whole, it may do all that it can.
    in_sam(&policy, &code(", e.run(parameters)"), &[]);
}

/// A SAM template with one function that has these properties, and these resources in addition.
fn with(properties: &str, resources: &str) -> String {
    let besides: String = resources.trim().lines().map(|l| format!("  {l}\n")).collect();
    format!("{}{besides}", sam(properties))
}

#[track_caller]
fn pair(template: &str, code: &str, expected: &[&str]) {
    assert_eq!(found(&[("template.yaml", template), ("src/app.py", code)]), expected);
}

const TABLES: &str =
    "Orders: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}\nCustomers: {Type: AWS::DynamoDB::Table}";

/// Two tables and their policies; the code uses one of them.
#[test]
fn a_table_that_the_code_never_uses() {
    let template = with(
        "Environment: {Variables: {ORDERS: !Ref Orders, CUSTOMERS: !Ref Customers}}\nPolicies:\n  - DynamoDBCrudPolicy: {TableName: !Ref Orders}\n  - DynamoDBReadPolicy: {TableName: !Ref Customers}\n  - Statement:\n      - {Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Customers.Arn}\n      - {Effect: Allow, Action: dynamodb:DeleteItem, Resource: !Sub '${Orders.Arn}'}",
        TABLES,
    );
    let code = |body: &str| {
        format!(
            "import boto3, os\ndb = boto3.resource('dynamodb')\norders = db.Table(os.environ['ORDERS'])\ncustomers = db.Table(os.environ['CUSTOMERS'])\ndef handler(e, c):\n    orders.put_item(Item=e)\n    orders.update_item(Key=e)\n    orders.delete_item(Key=e)\n    orders.query(KeyConditionExpression='i')\n{body}"
        )
    };
    pair(
        &template,
        &code(""),
        &[
            "unused-grant dynamodb:PutItem",
            "unused-managed-grant DynamoDBReadPolicy",
        ],
    );
    pair(
        &template,
        &code("    customers.query(KeyConditionExpression='i')\n    customers.put_item(Item=e)\n"),
        &[],
    );
    // Which table it is comes with the event.
    pair(
        &template,
        &code(
            "    db.Table(e['table']).query(KeyConditionExpression='i')\n    db.Table(e['table']).put_item(Item=e)\n",
        ),
        &[],
    );
}

/// An index is a resource of its own, and so are the objects of a bucket.
#[test]
fn the_resource_is_not_the_one_that_the_call_is_about() {
    let table = |resources: &str| {
        with(
            &format!(
                "Environment: {{Variables: {{T: !Ref Orders}}}}\nPolicies:\n  - Statement:\n      - {{Effect: Allow, Action: dynamodb:Query, Resource: {resources}}}"
            ),
            TABLES,
        )
    };
    let code = "import boto3, os\ntable = boto3.resource('dynamodb').Table(os.environ['T'])\ndef handler(e, c):\n    return table.query(IndexName='by-customer', KeyConditionExpression='c')\n";
    pair(&table("!GetAtt Orders.Arn"), code, &["missing-grant table.query"]);
    pair(&table("[!GetAtt Orders.Arn, !Sub '${Orders.Arn}/index/*']"), code, &[]);
    pair(
        &table("!GetAtt Orders.Arn"),
        &code.replace("IndexName='by-customer', ", ""),
        &[],
    );
    pair(
        &table("!GetAtt Orders.Arn"),
        &code.replace("IndexName='by-customer'", "**e"),
        &[],
    );

    let bucket = |resource: &str| {
        with(
            &format!(
                "Environment: {{Variables: {{B: !Ref Files}}}}\nPolicies:\n  - Statement:\n      - {{Effect: Allow, Action: [s3:GetObject, s3:ListBucket], Resource: {resource}}}"
            ),
            "Files: {Type: AWS::S3::Bucket}",
        )
    };
    let code = "import boto3, os\ns3 = boto3.client('s3')\ndef handler(e, c):\n    pages = s3.get_paginator('list_objects_v2')\n    for page in pages.paginate(Bucket=os.environ['B'], Prefix='in/'):\n        for o in page['Contents']:\n            s3.get_object(Bucket=os.environ['B'], Key=o['Key'])\n";
    pair(
        &bucket("!Sub '${Files.Arn}/*'"),
        code,
        &["missing-grant s3.get_paginator"],
    );
    pair(&bucket("!GetAtt Files.Arn"), code, &["missing-grant s3.get_object"]);
    pair(
        &bucket("[!GetAtt Files.Arn, !Sub 'arn:aws:s3:::${Files}/*']"),
        code,
        &[],
    );
    pair(&bucket("!Sub '${AWS::StackName}-*'"), code, &[]);
    pair(&bucket("!Sub 'arn:aws:s3:::${AWS::StackName}-*'"), code, &[]);
}

/// One state machine may be started; the code starts another.
#[test]
fn another_state_machine() {
    let machine = |name: &str| {
        format!(
            "{name}: {{Type: AWS::Serverless::StateMachine, Properties: {{DefinitionUri: m.asl.json, Role: 'arn:aws:iam::111122223333:role/m'}}}}"
        )
    };
    let template = |started: &str| {
        with(
            &format!(
                "Environment: {{Variables: {{MACHINE: !Ref {started}}}}}\nPolicies:\n  - StepFunctionsExecutionPolicy: {{StateMachineName: !GetAtt Refunds.Name}}"
            ),
            &format!("{}\n{}", machine("Orders"), machine("Refunds")),
        )
    };
    let code = "import boto3, os\nsfn = boto3.client('stepfunctions')\ndef handler(e, c):\n    sfn.start_execution(stateMachineArn=os.environ['MACHINE'], input='{}')\n";
    pair(&template("Orders"), code, &["missing-grant sfn.start_execution"]);
    pair(&template("Refunds"), code, &[]);
}

/// Copies read one bucket and write another.
#[test]
fn copies_between_buckets() {
    let template = |read: &str, write: &str| {
        sam(&format!(
            "Policies:\n  - Statement:\n      - {{Effect: Allow, Action: s3:GetObject, Resource: 'arn:aws:s3:::{read}/*'}}\n      - {{Effect: Allow, Action: s3:PutObject, Resource: 'arn:aws:s3:::{write}/*'}}"
        ))
    };
    let code = "import boto3\ns3 = boto3.client('s3')\ndef handler(e, c):\n    s3.copy_object(CopySource={'Bucket': 'inbox', 'Key': e['k']}, Bucket='archive', Key=e['k'])\n";
    pair(&template("inbox", "archive"), code, &[]);
    pair(&template("archive", "inbox"), code, &["missing-grant s3.copy_object"]);
    pair(&template("*", "archive*"), code, &[]);
}

/// A resource object's identifiers are those of what it was made from, and its own.
#[test]
fn objects_of_a_bucket_in_a_variable() {
    let template = with(
        "Environment: {Variables: {B: !Ref Files}}\nPolicies:\n  - Statement:\n      - {Effect: Allow, Action: [s3:GetObject, s3:PutObject], Resource: !Sub '${Files.Arn}/*'}",
        "Files: {Type: AWS::S3::Bucket}\nOther: {Type: AWS::S3::Bucket}",
    );
    let code = "import boto3, os\nbucket = boto3.resource('s3').Bucket(os.environ['B'])\ndef handler(e, c):\n    old = bucket.Object('state.json').get()\n    bucket.put_object(Key='state.json', Body=old['Body'].read())\n";
    pair(&template, code, &[]);
    pair(
        &template.replace("B: !Ref Files", "B: !Ref Other"),
        code,
        &[
            "missing-grant bucket.Object('state.json').get",
            "missing-grant bucket.put_object",
        ],
    );
}

/// The same in Terraform, by a resource's own name and by the environment.
#[test]
fn buckets_of_terraform() {
    let main = format!(
        "{}\nresource \"aws_s3_bucket\" \"a\" {{\n  bucket = \"acme-a\"\n}}\nresource \"aws_s3_bucket\" \"b\" {{\n  bucket_prefix = \"acme-b\"\n}}\n",
        terraform(
            "  statement {\n    actions   = [\"s3:GetObject\", \"s3:PutObject\"]\n    resources = [\"${aws_s3_bucket.a.arn}/*\"]\n  }\n  statement {\n    actions   = [\"s3:GetObject\"]\n    resources = [\"${aws_s3_bucket.b.arn}/*\"]\n  }"
        )
        .replace(
            "  runtime       = \"python3.12\"\n",
            "  runtime       = \"python3.12\"\n  environment {\n    variables = { OUT = aws_s3_bucket.b.id }\n  }\n"
        )
    );
    let code = "import boto3, os\ns3 = boto3.resource('s3')\ndef handler(e, c):\n    text = s3.Object('acme-a', 'in.txt').get()['Body'].read()\n    s3.Bucket(os.environ['OUT']).put_object(Key='out.txt', Body=text)\n";
    assert_eq!(
        found(&[("main.tf", &main), ("src/app.py", code)]),
        [
            "missing-grant s3.Bucket(os.environ['OUT']).put_object",
            "unused-grant \"s3:GetObject\""
        ]
    );
    let right = code.replace("os.environ['OUT']", "'acme-a'");
    assert_eq!(
        found(&[("main.tf", &main), ("src/app.py", &right)]),
        ["unused-grant \"s3:GetObject\""]
    );
}

/// Parameters that ask for more than the operation does.
#[test]
fn what_a_parameter_asks_for_is_missing_too() {
    in_sam(
        &statement("['s3:PutObject', 'textract:StartDocumentAnalysis']"),
        "import boto3, os\nfrom boto3.s3.transfer import S3Transfer\ndef handler(e, c):\n    S3Transfer(boto3.client('s3')).upload_file('/tmp/x', 'b', 'k', extra_args={'ACL': 'bucket-owner-full-control'})\n    boto3.client('textract').start_document_analysis(DocumentLocation=e, FeatureTypes=[], NotificationChannel={'RoleArn': os.environ['R'], 'SNSTopicArn': 't'})\n",
        &[
            "missing-grant S3Transfer(boto3.client('s3')).upload_file",
            "missing-grant boto3.client('textract').start_document_analysis",
        ],
    );
    // A version asks for another action instead.
    in_sam(
        &statement("['s3:GetObjectVersion']"),
        "import boto3\ndef handler(e, c):\n    boto3.client('s3').get_object(Bucket='b', Key='k', VersionId=e['v'])\n",
        &[],
    );
    // Two at one call.
    in_sam(
        &statement("['s3:ListBucket']"),
        "import boto3\ndef handler(e, c):\n    boto3.client('s3').put_object(Bucket='b', Key='k', ACL='private')\n",
        &[
            "missing-grant boto3.client('s3').put_object",
            "unused-grant 's3:ListBucket'",
        ],
    );
}

/// A key that the code makes for a user signs it in only where something takes it.
#[test]
fn keys_that_are_made_for_others() {
    let code = |rest: &str| {
        format!(
            "import boto3\niam = boto3.client('iam')\nkey = iam.create_access_key(UserName='ann')['AccessKey']\n{rest}\ndef handler(e, c):\n    sns.publish(TopicArn=e['t'], Message='m')\n"
        )
    };
    in_sam(
        &statement("['iam:CreateAccessKey']"),
        &code("sns = boto3.client('sns')"),
        &["missing-grant sns.publish"],
    );
    in_sam(
        &statement("['iam:CreateAccessKey']"),
        &code("sns = boto3.Session(key['AccessKeyId'], key['SecretAccessKey']).client('sns')"),
        &[],
    );
}

/// A bucket is emptied: who deletes versions names them.
#[test]
fn versions_of_objects_are_deleted_as_versions() {
    in_sam(
        &statement("['s3:ListBucketVersions', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:GetObject']"),
        "import boto3\ndef handler(e, c):\n    boto3.resource('s3').Bucket(e['b']).object_versions.all().delete()\n",
        &["unused-grant 's3:GetObject'"],
    );
    in_sam(
        &statement("['s3:ListBucketVersions', 's3:DeleteObject']"),
        "import boto3\ndef handler(e, c):\n    boto3.resource('s3').Bucket(e['b']).object_versions.all().delete()\n",
        &["missing-grant boto3.resource('s3').Bucket(e['b']).object_versions.all().delete"],
    );
}

/// One statement on one resource, code that calls something, and whether it is there.
#[track_caller]
fn reaches(action: &str, resource: &str, environment: &str, resources: &str, code: &str, expected: bool) {
    let template = with(
        &format!(
            "Environment:\n  Variables: {{{environment}}}\nPolicies:\n  - Statement:\n      - Effect: Allow\n        Action: '{action}'\n        Resource: {resource}"
        ),
        resources,
    );
    let code = format!("import boto3, os\ndef handler(e, c):\n    {code}\n");
    let found = found(&[("template.yaml", &template), ("src/app.py", &code)]);
    let missing = found.iter().any(|f| f.starts_with("missing-grant "));
    assert_eq!(!missing, expected, "{resource} {code}: {found:?}");
}

#[test]
fn secrets_by_name_and_arn() {
    let secrets = "Db: {Type: AWS::SecretsManager::Secret}\nApi: {Type: AWS::SecretsManager::Secret, Properties: {Name: acme/api}}";
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
    let keys = "One: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: [{Effect: Allow, Principal: '*', Action: 'kms:Describe*', Resource: '*'}]}}}\nTwo: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: [{Effect: Allow, Principal: '*', Action: 'kms:Describe*', Resource: '*'}]}}}";
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
    let roles = "Job: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}\nOther: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}";
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
