//! Functions that CDK code in Python makes: their code is compared with their role, without synthesis.

use crate::support::lint::found;
use crate::support::repository::Repository;

const IMPORTS: &str = "from aws_cdk import (Stack, CfnOutput, aws_dynamodb as dynamodb, aws_ec2 as ec2, aws_iam as iam,
    aws_lambda as lambda_, aws_lambda_event_sources as sources, aws_s3 as s3, aws_sqs as sqs)
import os
from pathlib import Path


class Orders(Stack):
    def __init__(self, scope, ident, **kwargs):
        super().__init__(scope, ident, **kwargs)
";

/// The function of most stacks here.
const FUNCTION: &str =
    "fn = lambda_.Function(self, 'Save', handler='app.handler', code=lambda_.Code.from_asset('lambda/save'))\n";

const TABLE: &str = "table = dynamodb.Table(self, 'Table', partition_key=key)\n";

const ROLE: &str = "role = iam.Role(self, 'R', assumed_by=iam.ServicePrincipal('lambda.amazonaws.com'))
fn = lambda_.Function(self, 'Save', handler='app.handler', code=lambda_.Code.from_asset('lambda/save'), role=role)\n";

const ALL: &str = "iam.PolicyStatement(actions=['dynamodb:*'], resources=['*'])";

/// The handler of most functions here: it puts an item.
const SAVE: &str = "import boto3


def handler(event, context):
    boto3.client('dynamodb').put_item(TableName='orders', Item=event)
";

/// `rule path:line text` of what is found of the comparison.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let (sources, findings) = found(files);
    let of_usage = findings
        .iter()
        .filter(|f| matches!(&*f.rule, "missing-grant" | "unused-grant" | "unused-managed-grant"));
    let mut out: Vec<String> = of_usage
        .map(|f| {
            let span = f.labels[0].span;
            let line = sources.positions(span).0.line;
            format!("{} {}:{line} {}", f.rule, sources.path(span.file), sources.slice(span))
        })
        .collect();
    out.sort();
    out
}

#[test]
fn objects_are_put_with_a_grant_to_put() {
    let put = "import boto3\n\n\ndef handler(event, context):\n    boto3.client('s3').put_object(Bucket='b', Key='k', Body=b'')\n";
    for (grant, help) in [
        ("grant_put", None),
        ("grant_read", Some("Remove the call.")),
        ("grant_read_write", Some("Use `grant_put` instead.")),
        ("grant_write", Some("Use `grant_put` instead.")),
    ] {
        let code = stack(&format!("{FUNCTION}bucket = s3.Bucket(self, 'B')\nbucket.{grant}(fn)"));
        let (_, all) = found(&[("stack.py", &code), ("lambda/save/app.py", put)]);
        let of_rule = all.iter().filter(|f| &*f.rule == "unused-grant");
        let helps: Vec<_> = of_rule.filter_map(|f| f.help.as_deref()).collect();
        assert_eq!(helps, help.into_iter().collect::<Vec<_>>(), "{grant}");
    }
}

/// A module with these lines in the constructor of its stack.
fn stack(body: &str) -> String {
    let body: String = body.lines().map(|l| format!("        {l}\n")).collect();
    format!("{IMPORTS}{body}")
}

/// What is found in a stack with these lines, and a handler that puts an item. Without lines and text.
fn rules_of(body: &str) -> Vec<String> {
    let found = findings(&[("stack.py", &stack(body)), ("lambda/save/app.py", SAVE)]);
    found
        .iter()
        .map(|f| {
            let (what, text) = f.rsplit_once(' ').unwrap();
            let (what, _) = what.rsplit_once(':').unwrap();
            format!("{what} {text}")
        })
        .collect()
}

const UNUSED: &str = "unused-grant stack.py 'dynamodb:*'";
const MISSING: &str = "missing-grant lambda/save/app.py boto3.client('dynamodb').put_item";

#[test]
fn statements_are_part_of_the_role_however_they_are_added() {
    for body in [
        format!("{FUNCTION}fn.add_to_role_policy({ALL})"),
        format!("{FUNCTION}fn.role.add_to_principal_policy({ALL})"),
        format!("{FUNCTION}fn.role.add_to_policy(statement={ALL})"),
        format!("{FUNCTION}role = fn.role\nrole.add_to_policy({ALL})"),
        format!("{FUNCTION}s = {ALL}\nfn.add_to_role_policy(s)"),
        format!("{FUNCTION}policy = iam.Policy(self, 'P', statements=[{ALL}])\nfn.role.attach_inline_policy(policy)"),
        format!("{FUNCTION}fn.role.attach_inline_policy(iam.Policy(self, 'P', statements=[{ALL}]))"),
        format!(
            "{FUNCTION}policy = iam.Policy(self, 'P')\npolicy.add_statements({ALL})\npolicy.attach_to_role(fn.role)"
        ),
        format!("{FUNCTION}fn.role.add_managed_policy(iam.ManagedPolicy(self, 'P', statements=[{ALL}]))"),
        format!("self.{}self.fn.add_to_role_policy({ALL})", FUNCTION),
        format!(
            "fn = lambda_.Function(self, 'Save', handler='app.handler', initial_policy=[{ALL}], \
             code=lambda_.Code.from_asset('lambda/save'))"
        ),
        format!("{ROLE}role.add_to_policy({ALL})"),
        format!("{ROLE}fn.add_to_role_policy({ALL})"),
        format!("{ROLE}iam.Policy(self, 'P', statements=[{ALL}], roles=[role])"),
        format!("{ROLE}iam.ManagedPolicy(self, 'P', statements=[{ALL}], roles=[role])"),
        format!("{ROLE}iam.Policy(self, 'P', document=iam.PolicyDocument(statements=[{ALL}]), roles=[fn.role])"),
        ROLE.replace(
            "'lambda.amazonaws.com')",
            &format!("'lambda.amazonaws.com'), inline_policies={{'p': iam.PolicyDocument(statements=[{ALL}])}}"),
        ),
        ROLE.replace(
            "'lambda.amazonaws.com')",
            &format!("'lambda.amazonaws.com'), managed_policies=[iam.ManagedPolicy(self, 'M', statements=[{ALL}])]"),
        ),
    ] {
        assert_eq!(rules_of(&body), [UNUSED], "{body}");
    }
}

#[test]
fn a_call_that_no_grant_allows_is_missing() {
    let other = "iam.PolicyStatement(actions=['dynamodb:GetItem'], resources=['*'])";
    let basic = "iam.ManagedPolicy.from_aws_managed_policy_name('service-role/AWSLambdaBasicExecutionRole')";
    for body in [
        FUNCTION.to_owned(),
        format!("{FUNCTION}{TABLE}table.grant_stream_read(fn)"),
        ROLE.to_owned(),
        ROLE.replace(
            "'lambda.amazonaws.com')",
            &format!("'lambda.amazonaws.com'), managed_policies=[{basic}]"),
        ),
        format!("{FUNCTION}CfnOutput(self, 'Arn', value=fn.function_arn)"),
        // Another role, with a policy of AWS of its own.
        format!(
            "{FUNCTION}other = iam.Role(self, 'O', assumed_by=iam.ServicePrincipal('ec2.amazonaws.com'), \
             managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name('AmazonDynamoDBFullAccess')])"
        ),
        format!(
            "{FUNCTION}other = iam.Role(self, 'O', assumed_by=iam.ServicePrincipal('ec2.amazonaws.com'))\n\
             other.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name('AmazonDynamoDBFullAccess'))"
        ),
    ] {
        assert_eq!(rules_of(&body), [MISSING], "{body}");
    }
    let both = rules_of(&format!("{FUNCTION}fn.add_to_role_policy({other})"));
    assert_eq!(both, [MISSING, "unused-grant stack.py 'dynamodb:GetItem'"]);
    let body = format!("{ROLE}iam.Policy(self, 'P', statements=[{other}], roles=[role])");
    assert_eq!(rules_of(&body), [MISSING, "unused-grant stack.py 'dynamodb:GetItem'"]);
    let both = rules_of(&format!("{FUNCTION}{TABLE}table.grant_read_data(fn)"));
    assert_eq!(both, [MISSING, "unused-grant stack.py grant_read_data"]);
}

#[test]
fn a_grant_is_reported_where_it_is_called() {
    for (grant, found) in [
        ("table.grant_write_data(fn)", &[][..]),
        ("table.grant_write_data(fn.role)", &[]),
        ("table.grant_write_data(grantee=fn)", &[]),
        ("table.grant(fn, 'dynamodb:PutItem')", &[]),
        (
            "table.grant(fn, 'dynamodb:PutItem', 'dynamodb:DeleteItem')",
            &["unused-grant stack.py 'dynamodb:DeleteItem'"],
        ),
        (
            "table.grant_read_write_data(fn)",
            &["unused-grant stack.py grant_read_write_data"],
        ),
        // aws-cdk-lib 2.2xx.
        ("table.grants.write_data(fn)", &[]),
        ("table.grants.actions(fn, 'dynamodb:PutItem')", &[]),
        (
            "dynamodb.TableGrants.from_table(table).read_write_data(fn)",
            &["unused-grant stack.py read_write_data"],
        ),
        (
            "table.grants.read_write_data(fn)",
            &["unused-grant stack.py read_write_data"],
        ),
        (
            "table.grants.write_data(fn)\ns3.Bucket(self, 'B').grants.read(fn)",
            &["unused-grant stack.py read"],
        ),
        (
            "table.grant_write_data(fn)\n\
             iam.Grant.add_to_principal(grantee=fn, actions=['sqs:PurgeQueue'], resource_arns=['*'])",
            &["unused-grant stack.py 'sqs:PurgeQueue'"],
        ),
        (
            "table.grant_write_data(fn)\n\
             other = lambda_.Function.from_function_arn(self, 'O', 'arn:aws:lambda:eu-west-1:111122223333:function:o')\n\
             other.grant_invoke(fn)",
            &["unused-grant stack.py grant_invoke"],
        ),
        (
            "table.grant_full_access(fn)",
            &["unused-grant stack.py grant_full_access"],
        ),
        (
            "table.grant_write_data(fn)\ns3.Bucket(self, 'B').grant_read(fn)",
            &["unused-grant stack.py grant_read"],
        ),
        (
            "table.grant_write_data(fn)\nq = sqs.Queue.from_queue_arn(self, 'Q', 'arn:aws:sqs:eu-west-1:111122223333:q')\n\
             q.grant_purge(fn)",
            &["unused-grant stack.py grant_purge"],
        ),
        (
            "table.grant_write_data(fn)\nsqs.Queue(self, 'Q').grant_send_messages(fn)",
            &["unused-grant stack.py grant_send_messages"],
        ),
        // A mapping that is made elsewhere may read with it.
        (
            "table.grant_write_data(fn)\nsqs.Queue(self, 'Q').grant_consume_messages(fn)",
            &[],
        ),
    ] {
        assert_eq!(rules_of(&format!("{FUNCTION}{TABLE}{grant}")), found, "{grant}");
    }
    let (_, all) = found(&[
        (
            "stack.py",
            &stack(&format!("{FUNCTION}{TABLE}table.grant_read_write_data(fn)")),
        ),
        ("lambda/save/app.py", SAVE),
    ]);
    let one = all.iter().find(|f| &*f.rule == "unused-grant").unwrap();
    assert!(
        one.message.starts_with("`grant_read_write_data` grants "),
        "{}",
        one.message
    );
    assert!(one.message.ends_with("; the code uses 1 of them"), "{}", one.message);
    assert_eq!(one.help.as_deref(), Some("Use `grant_write_data` instead."));
}

#[test]
fn facades_are_replaced_by_facades() {
    let files = [
        (
            "stack.py",
            &*stack(&format!("{FUNCTION}{TABLE}table.grants.read_write_data(fn)")),
        ),
        ("lambda/save/app.py", SAVE),
    ];
    let (_, all) = found(&files);
    let one = all.iter().find(|f| &*f.rule == "unused-grant").unwrap();
    assert_eq!(one.help.as_deref(), Some("Use `write_data` instead."));
}

#[test]
fn resources_of_cloudformation_are_read_as_in_a_template() {
    let statement = |action: &str| {
        format!(
            "{{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Action': '{action}', 'Resource': '*'}}]}}"
        )
    };
    let trust = "{'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole', \
                 'Principal': {'Service': 'lambda.amazonaws.com'}}]}";
    let put = "zip_file=\"import boto3\\n\\ndef handler(e, c):\\n    boto3.client('dynamodb').put_item(TableName='t', Item=e)\"";
    let function = |code: &str, role: &str| {
        format!(
            "lambda_.CfnFunction(self, 'F', runtime='python3.13', handler='index.handler', role={role}, code={code})\n"
        )
    };
    let code = format!("lambda_.CfnFunction.CodeProperty({put})");
    let role = |more: &str| format!("r = iam.CfnRole(self, 'R', assume_role_policy_document={trust}{more})\n");
    let policy = |property: &str, action: &str| {
        format!(
            ", policies=[{property}(policy_name='p', policy_document={})]",
            statement(action)
        )
    };
    let own = policy("iam.CfnRole.PolicyProperty", "dynamodb:GetItem");
    let unused = "unused-grant stack.py 'dynamodb:GetItem'";
    let missing = "missing-grant stack.py boto3.client('dynamodb').put_item";
    let attached = format!(
        "iam.CfnPolicy(self, 'P', policy_name='p', roles=[r.ref], policy_document={})\n",
        statement("dynamodb:PutItem")
    );
    let l2 = "r = iam.Role(self, 'R', assumed_by=iam.ServicePrincipal('lambda.amazonaws.com'))\n";
    let add = "r.add_to_policy(iam.PolicyStatement(actions=['dynamodb:GetItem'], resources=['*']))\n";
    for (body, expected) in [
        (
            format!("{}{}", role(&own), function(&code, "r.attr_arn")),
            vec![missing, unused],
        ),
        (
            format!("{}{}{attached}", role(&own), function(&code, "r.attr_arn")),
            vec![unused],
        ),
        (
            format!(
                "{}{}",
                role(&own),
                function(
                    &format!("{{{}}}", put.replace("zip_file=", "'zipFile': ")),
                    "r.attr_arn"
                )
            ),
            vec![missing, unused],
        ),
        (
            format!("{l2}{add}{}", function(&code, "r.role_arn")),
            vec![missing, unused],
        ),
        // Something else may have the role.
        (
            format!(
                "{}{}Other(self, 'O', role=r.attr_arn)\n",
                role(&own),
                function(&code, "r.attr_arn")
            ),
            vec![missing],
        ),
        (format!("{}{}", role(&own), function(&code, "role")), vec![]),
    ] {
        let mut found = rules_of(&body);
        found.sort();
        let found: Vec<&str> = found
            .iter()
            .map(|f| f.trim_end_matches("(TableName='t', Item=e)"))
            .collect();
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn the_code_is_found() {
    let all = format!("fn.add_to_role_policy({ALL})");
    let path = "lambda/save/app.py";
    for code in [
        "lambda_.Code.from_asset('lambda/save')",
        "lambda_.Code.from_asset('./lambda/save')",
        "lambda_.Code.from_asset(path='lambda/save', exclude=['*.md'])",
        "lambda_.AssetCode('lambda/save')",
        "lambda_.Code.asset('lambda/save')",
        "lambda_.Code.from_asset(os.path.join(os.path.dirname(__file__), 'lambda', 'save'))",
        "lambda_.Code.from_asset(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lambda/save'))",
        "lambda_.Code.from_asset(str(Path(__file__).parent / 'lambda' / 'save'))",
        "lambda_.Code.from_asset(str(Path(__file__).resolve().parent.joinpath('lambda', 'save')))",
        "lambda_.Code.from_asset(f'{os.path.dirname(__file__)}/lambda/save')",
        "lambda_.Code.from_asset(os.getcwd() + '/lambda/save')",
    ] {
        let body = format!("fn = lambda_.Function(self, 'Save', handler='app.handler', code={code})\n{all}");
        let found = findings(&[("stack.py", &stack(&body)), (path, SAVE)]);
        assert_eq!(found.len(), 1, "{code}: {found:?}");
    }
    // What is built in an image: what its Dockerfile copies.
    for (copied, there) in [
        ("lambda/save/app.py /asset/app.py", path),
        ("lambda/save /asset", path),
        ("lambda/other /asset/other\nCOPY lambda/save/app.py /asset/", path),
    ] {
        let code = "lambda_.Code.from_docker_build(path=os.path.abspath('./'), file='lambda/Dockerfile')";
        let body = format!("fn = lambda_.Function(self, 'Save', handler='app.handler', code={code})\n{all}");
        let dockerfile = format!("FROM python:3.13\nCOPY {copied}\nCMD [\"echo\", \"done\"]\n");
        let files = [
            ("infra/stack.py", &*stack(&body)),
            ("lambda/Dockerfile", &dockerfile),
            (there, SAVE),
            ("lambda/other/app.py", "def handler(event, context):\n    pass\n"),
        ];
        assert_eq!(findings(&files).len(), 1, "{copied}");
    }
    // From the folder of the app, and from that of the file.
    for (file, code) in [
        ("infra/stacks/orders.py", "'lambda/save'"),
        (
            "infra/stacks/orders.py",
            "os.path.join(os.path.dirname(__file__), '..', 'lambda', 'save')",
        ),
        (
            "infra/stacks/orders.py",
            "str(Path(__file__).parents[1] / 'lambda/save')",
        ),
        ("infra/lambda/orders.py", "'save'"),
    ] {
        let body = format!(
            "fn = lambda_.Function(self, 'Save', handler='app.handler', code=lambda_.Code.from_asset({code}))\n{all}"
        );
        let files = [
            (file, stack(&body)),
            ("infra/cdk.json", "{}".to_owned()),
            ("infra/lambda/save/app.py", SAVE.to_owned()),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        assert_eq!(findings(&files).len(), 1, "{code}");
    }
}

#[test]
fn other_functions_and_imports() {
    let wide = "add_to_role_policy(iam.PolicyStatement(actions=['dynamodb:*'], resources=['*']))";
    for (imports, function) in [
        (
            "from aws_cdk import core, aws_iam as iam, aws_lambda as _lambda",
            "_lambda.Function(self, 'F', handler='app.handler', code=_lambda.Code.asset('lambda/save'))",
        ),
        (
            "import aws_cdk.aws_lambda as _lambda\nimport aws_cdk.aws_iam as iam",
            "_lambda.Function(self, 'F', handler='app.handler', code=_lambda.Code.from_asset('lambda/save'))",
        ),
        (
            "from aws_cdk.aws_lambda import Function, Code\nfrom aws_cdk import aws_iam as iam",
            "Function(self, 'F', handler='app.handler', code=Code.from_asset('lambda/save'))",
        ),
        (
            "import aws_cdk as cdk\nfrom aws_cdk import aws_iam as iam",
            "cdk.aws_lambda.Function(self, 'F', handler='app.handler', code=cdk.aws_lambda.Code.from_asset('lambda/save'))",
        ),
        (
            "from aws_cdk import aws_iam as iam, aws_lambda_python_alpha as python",
            "python.PythonFunction(self, 'F', entry='lambda/save', index='app.py', handler='handler')",
        ),
        (
            "from aws_cdk import aws_iam as iam, aws_lambda as l",
            "l.DockerImageFunction(self, 'F', code=l.DockerImageCode.from_image_asset('lambda/save'))",
        ),
        (
            "from aws_cdk import aws_iam as iam, aws_lambda as l",
            "l.Function(self, 'F', runtime=l.Runtime.PYTHON_3_13, handler='index.handler', code=l.InlineCode(open('lambda/save/app.py').read()))",
        ),
        (
            "from aws_cdk import aws_iam as iam, aws_lambda as l",
            "l.Function(self, 'F', runtime=l.Runtime.PYTHON_3_13, handler='index.handler', code=l.Code.from_inline(\"\"\"import boto3
def handler(event, context):
    boto3.client('dynamodb').put_item(TableName='orders', Item=event)
\"\"\"))",
        ),
    ] {
        let code = format!("{imports}\n\n\ndef build(self):\n    fn = {function}\n    fn.{wide}\n");
        let files = [
            ("stack.py", code.as_str()),
            ("lambda/save/app.py", SAVE),
            ("lambda/save/Dockerfile", "FROM public.ecr.aws/lambda/python:3.13\nCOPY app.py .\nCMD [\"app.handler\"]\n"),
        ];
        let found = findings(&files);
        assert_eq!(found.len(), 1, "{function}: {found:?}");
        assert!(found[0].starts_with("unused-grant stack.py"), "{found:?}");
    }
}

#[test]
fn a_role_that_may_have_more_is_missing_nothing() {
    let wide = format!("fn.add_to_role_policy({ALL})");
    let read = "fn.add_to_role_policy(iam.PolicyStatement(actions=['dynamodb:GetItem'], resources=['*']))";
    for (body, unused) in [
        (format!("{FUNCTION}{TABLE}table.grant_write_data(fn)"), false),
        (format!("{FUNCTION}{read}\nMonitoring(self, 'M', function=fn)"), true),
        (format!("{FUNCTION}{read}\nself.widen(fn)"), true),
        (format!("{FUNCTION}{read}\nreturn fn"), true),
        (format!("{FUNCTION}{read}\nfunctions = [fn]"), true),
        (
            format!("{FUNCTION}{read}\nfor f in [fn]:\n    t.grant_write_data(f)"),
            true,
        ),
        (format!("{FUNCTION}{read}\nself.all['save'] = fn"), true),
        (format!("{FUNCTION}{read}\nfn.add_to_role_policy(extra)"), true),
        (
            format!("{FUNCTION}{read}\nfn.add_to_role_policy(iam.PolicyStatement.from_json(extra))"),
            true,
        ),
        (
            format!("{FUNCTION}{read}\nfor s in extra:\n    fn.add_to_role_policy(s)"),
            true,
        ),
        (
            format!(
                "{FUNCTION}{read}\nfn.role.add_managed_policy(iam.ManagedPolicy.from_managed_policy_arn(self, 'M', arn))"
            ),
            true,
        ),
        (format!("{FUNCTION}{read}\nfn.role.add_managed_policy(extra)"), true),
        (format!("{FUNCTION}{read}\nthing.grant_whatever(fn)"), true),
        (format!("{FUNCTION}{read}\nthing.table.grant_write_data(fn)"), true),
        (format!("{FUNCTION}{read}\nthing.grants.write_data(fn)"), true),
        (
            format!("{FUNCTION}{read}\nOwnTable(self, 'T').grant_read_data(fn)"),
            true,
        ),
        (
            format!("self.{FUNCTION}self.{read}\ngetattr(self, name).add_to_role_policy(s)"),
            true,
        ),
        (format!("{FUNCTION}{read}\nthing.grant(fn, *actions)"), true),
        (
            format!("{FUNCTION}{read}\nif wide:\n    fn = other()\nt.grant_write_data(fn)"),
            true,
        ),
        (format!("self.{FUNCTION}self.{read}"), true),
    ] {
        let body = if body.starts_with("self.fn") && !body.contains("getattr") {
            // A stack of another file gives it more.
            let other = format!("{IMPORTS}        stack.table.grant_write_data(stack.fn)\n");
            let found = findings(&[
                ("stack.py", &stack(&body)),
                ("other.py", &other),
                ("lambda/save/app.py", SAVE),
            ]);
            assert_eq!(found, ["unused-grant stack.py:11 'dynamodb:GetItem'"]);
            continue;
        } else {
            body
        };
        let expected: &[&str] = if unused {
            &["unused-grant stack.py 'dynamodb:GetItem'"]
        } else {
            &[]
        };
        assert_eq!(rules_of(&body), expected, "{body}");
    }
    // What may use the role too is not known.
    for body in [
        format!("{ROLE}{wide}\nMonitoring(self, 'M', role=role)"),
        format!("{ROLE}{wide}\nself.environment['ROLE'] = role.role_arn"),
        format!("{ROLE}{wide}\nCfnOutput(self, 'Role', value=role.role_arn, export_name='role')"),
        format!("{ROLE}{wide}\nreturn role"),
        format!(
            "role = iam.Role.from_role_arn(self, 'R', 'arn:aws:iam::111122223333:role/r')\n{}{wide}",
            FUNCTION.replace("handler=", "role=role, handler=")
        ),
        format!("{}{wide}", FUNCTION.replace("handler=", "role=self.shared, handler=")),
        format!("{}{wide}", FUNCTION.replace("handler=", "**common, handler=")),
        format!("{}{wide}", FUNCTION.replace("'lambda/save'", "folder")),
        format!("{}{wide}", ROLE.replace("lambda.amazonaws.com", "ec2.amazonaws.com")),
    ] {
        assert_eq!(rules_of(&body), [] as [&str; 0], "{body}");
    }
}

#[test]
fn what_the_platform_needs_is_used() {
    let poll = "iam.PolicyStatement(actions=['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], resources=['*'])";
    let network =
        "iam.PolicyStatement(actions=['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces'], resources=['*'])";
    let trace = "iam.PolicyStatement(actions=['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources=['*'])";
    let write = format!("{TABLE}table.grant_write_data(fn)\n");
    for body in [
        format!("{FUNCTION}{write}q = sqs.Queue(self, 'Q')\nfn.add_event_source(sources.SqsEventSource(q))"),
        format!(
            "{FUNCTION}{write}q = sqs.Queue(self, 'Q')\nq.grant_consume_messages(fn)\nfn.add_event_source_mapping('M', event_source_arn=q.queue_arn)"
        ),
        format!("{FUNCTION}{write}fn.add_to_role_policy({poll})"),
        format!(
            "{}{write}fn.add_to_role_policy({network})",
            FUNCTION.replace("handler=", "vpc=ec2.Vpc(self, 'V'), handler=")
        ),
        format!(
            "{}{write}fn.add_to_role_policy({trace})",
            FUNCTION.replace("handler=", "tracing=lambda_.Tracing.ACTIVE, handler=")
        ),
        format!(
            "{}{write}q.grant_send_messages(fn)",
            FUNCTION.replace("handler=", "dead_letter_queue=q, handler=")
        ),
    ] {
        assert_eq!(rules_of(&body), [] as [&str; 0], "{body}");
    }
}

#[test]
fn attributes_are_those_of_their_class() {
    let function = |class: &str, action: &str| {
        format!(
            "class {class}(Stack):
    def __init__(self, scope, table: dynamodb.ITable):
        self.table = table
        self.fn = lambda_.Function(self, 'Save', handler='app.handler', code=lambda_.Code.from_asset('lambda/save'))
        self.allow()

    def allow(self):
        {action}


"
        )
    };
    let imports = IMPORTS.split("\n\n\n").next().unwrap();
    let granted = function("A", "self.table.grant_write_data(self.fn)");
    let code = format!(
        "{imports}\n\n\n{granted}{}",
        function("B", "self.table.grant_read_data(self.fn)")
    );
    let found = findings(&[("stack.py", &code), ("lambda/save/app.py", SAVE)]);
    let line = |text: &str| code.lines().position(|l| l.contains(text)).unwrap() + 1;
    assert_eq!(
        found,
        [
            "missing-grant lambda/save/app.py:5 boto3.client('dynamodb').put_item".to_owned(),
            format!("unused-grant stack.py:{} grant_read_data", line("grant_read_data")),
        ]
    );
}

#[test]
fn what_is_listed() {
    let body = format!(
        "{FUNCTION}{TABLE}table.grant_write_data(fn)\nlambda_.Function(self, 'Other', handler='app.handler', code=lambda_.Code.from_asset('gone'))\n"
    );
    let r = Repository::new(&[("stack.py", &stack(&body)), ("lambda/save/app.py", SAVE)]);
    let listed = r.run(&["workloads"]).out;
    assert_eq!(
        listed,
        "stack.py:10:14: function Orders/Save
  code: lambda/save/app.py, `handler`
  role: Orders/Save/ServiceRole (stack.py:10:14)
  compared: 1 call needs 1 action, the role grants 8 actions
stack.py:13:9: function Orders/Other
  code not known: `gone/app.py` is not among the files that were read: if the code is elsewhere, name it in the settings
  role: Orders/Other/ServiceRole (stack.py:13:9)
  not compared
  add to overgrant.toml:
    [[workload]]
    code = \"lambda/save\"
    role = \"Orders/Other/ServiceRole\"
    entry = \"app.py:handler\"
2 workloads, 1 compared, 1 not compared
"
    );
    let policies = r.run(&["policies", "--format", "json"]).json();
    let policies = policies["policies"].as_array().unwrap();
    let grant = policies.iter().find(|p| p["source"] == "generated").unwrap();
    assert_eq!(grant["name"], "Table.grant_write_data");
    assert_eq!(grant["attached_to"], serde_json::json!(["Orders/Save/ServiceRole"]));
}

#[test]
fn a_policy_that_a_role_of_no_function_has_too_is_left_out() {
    let policy =
        format!("policy = iam.ManagedPolicy(self, 'P', statements=[{ALL}])\nrole.add_managed_policy(policy)\n");
    let other = "other = iam.Role(self, 'Other', assumed_by=iam.ServicePrincipal('lambda.amazonaws.com'))\n";
    let of = |more: &str| rules_of(&format!("{ROLE}{policy}{more}"));
    assert_eq!(of("").len(), 1);
    for more in ["other.add_managed_policy(policy)\n", "policy.attach_to_role(other)\n"] {
        assert_eq!(of(&format!("{other}{more}")), [""; 0], "{more}");
    }
    let given = other.replace("'))\n", "'), managed_policies=[policy])\n");
    assert_eq!(of(&given), [""; 0]);
}

#[test]
fn what_stands_for_a_function_may_be_given_more() {
    for more in [
        "table.grant_write_data(fn.add_alias('live'))",
        "table.grant_write_data(lambda_.Alias(self, 'A', alias_name='live', version=fn.current_version))",
        "table.grant_write_data(fn.latest_version)",
        "iam.CfnPolicy(self, 'P', policy_name='p', policy_document=document, roles=[fn.role.role_name])",
        "Aspects.of(fn).add(GrantWrites())",
        "fn.role.node.default_child.add_property_override('Policies', policies)",
        "table.grant_write_data(iam.Role.from_role_arn(self, 'Same', fn.role.role_arn))",
    ] {
        assert_eq!(rules_of(&format!("{TABLE}{FUNCTION}{more}\n")), [""; 0], "{more}");
    }
    let plain = format!("{TABLE}{FUNCTION}fn.node.add_dependency(table)\n");
    assert_eq!(rules_of(&plain).len(), 1);
}
