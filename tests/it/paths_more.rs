//! `overgrant paths`: accounts, and what is reached through resources.

use crate::paths::{ACCOUNT, ME, admin, allow, is_admin, paths, paths_of, policy, role, user};
use crate::support::repository::Repository;

/// Two providers, and a resource of each.
fn two_providers(first: &str, second: &str) -> String {
    format!(
        "provider \"aws\" {{\n  alias = \"one\"\n{first}\n}}\nprovider \"aws\" {{\n  alias = \"two\"\n{second}\n}}\n"
    )
}

/// All resources of a text are made by a provider.
fn by(provider: &str, terraform: &str) -> String {
    let lines = terraform.lines().map(|l| match l.starts_with("resource ") {
        true => format!("{l}\n  provider = aws.{provider}\n"),
        false => format!("{l}\n"),
    });
    lines.collect()
}

#[test]
fn providers_of_different_accounts() {
    let root = user("root") + &is_admin("user", "root");
    let ann = user("ann") + &policy("user", "ann", &allow("iam:CreateAccessKey", "*"));
    let both = by("one", &ann) + &by("two", &root);
    let path = ["admin: user/ann → user/root"];
    let role_of = |account: &str| {
        format!(
            "  region = \"eu-west-1\"\n  assume_role {{\n    role_arn = \"arn:aws:iam::{account}:role/deploy\"\n  }}"
        )
    };
    for (first, second, joined) in [
        ("", "", false),
        ("  region = \"us-east-1\"", "  region = \"eu-west-1\"", true),
        ("  profile = \"dev\"", "  profile = \"prod\"", false),
        ("  profile = \"dev\"", "  profile = \"dev\"", true),
        (&role_of("111122223333"), &role_of("444455556666"), false),
        (&role_of("111122223333"), &role_of("111122223333"), true),
    ] {
        let found = paths(&(two_providers(first, second) + &both));
        assert_eq!(found, &path[..usize::from(joined)], "{first} {second}");
    }
    // Aliases that are called like regions.
    let regions = both.replace("aws.one", "aws.use1").replace("aws.two", "aws.us_west_2");
    assert_eq!(paths(&regions), path);
}

#[test]
fn providers_that_are_handed_to_a_module() {
    let ann = user("ann") + &policy("user", "ann", &allow("iam:CreateAccessKey", "*"));
    let root = user("root") + &is_admin("user", "root");
    let call = |provider: &str| {
        two_providers("  profile = \"dev\"", "  profile = \"prod\"")
            + &by("one", &ann)
            + &format!("module \"m\" {{\n  source = \"./m\"\n  providers = {{ aws = aws.{provider} }}\n}}\n")
    };
    for (provider, expected) in [("one", &["admin: user/ann → user/root"][..]), ("two", &[])] {
        let files = [("main.tf", call(provider)), ("m/main.tf", root.clone())];
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (*p, t.as_str())).collect();
        assert_eq!(paths_of(&files, &[]), expected, "{provider}");
    }
}

#[test]
fn roles_of_another_account() {
    let root = |principal: &str| {
        two_providers("", "")
            + "variable \"one\" {}\n"
            + &by("two", &(role("boss", principal) + &is_admin("role", "boss")))
    };
    let ann = by("one", &user("ann"));
    let named = root("{ AWS = \"arn:aws:iam::${var.one}:user/ann\" }") + &ann;
    assert_eq!(paths(&named), [""; 0]);
    let grant = by(
        "one",
        &policy("user", "ann", &allow("sts:AssumeRole", "aws_iam_role.boss.arn")),
    );
    let path = ["admin: user/ann → role/boss"];
    assert_eq!(paths(&(named + &grant)), path);
    let account = root("{ AWS = \"arn:aws:iam::${var.one}:root\" }") + &ann + &grant;
    assert_eq!(paths(&account), path);
    let all = by("one", &policy("user", "ann", &allow("sts:AssumeRole", "*")));
    let account = root("{ AWS = \"arn:aws:iam::${var.one}:root\" }") + &ann + &all;
    assert_eq!(paths(&account), path);
    assert_eq!(paths(&(root(ACCOUNT) + ME + &ann + &all)), [""; 0]);
}

#[test]
fn numbers_of_accounts() {
    let granted = |account: &str| {
        user("ann")
            + &policy(
                "user",
                "ann",
                &allow("sts:AssumeRole", &format!("arn:aws:iam::{account}:role/boss")),
            )
    };
    let boss = |principal: &str| {
        role(
            "boss",
            &format!("{{ AWS = \"arn:aws:iam::111122223333:{principal}\" }}"),
        ) + &is_admin("role", "boss")
    };
    let path = ["admin: user/ann → role/boss"];
    assert_eq!(paths(&(boss("root") + &granted("111122223333"))), path);
    let two = (
        "overgrant.toml",
        "[own.accounts]\nprod = \"111122223333\"\ndev = \"444455556666\"\n",
    );
    let apart = boss("root") + &granted("444455556666");
    assert_eq!(paths_of(&[("main.tf", &apart), two], &[]), [""; 0]);
    // A user of the same name in an account that is not ours.
    let other = ("overgrant.toml", "[own.accounts]\nprod = \"444455556666\"\n");
    let text = boss("user/ann") + &user("ann");
    let json = Repository::new(&[("main.tf", &text), other])
        .run(&["paths", "--format", "json"])
        .json();
    assert!(json["paths"][0]["from"].to_string().contains("111122223333"), "{json}");
}

#[test]
fn a_need_shows_the_resource_that_matches() {
    let resources =
        "\"arn:aws:iam::*:user/a\", \"arn:aws:iam::*:user/b\", \"arn:aws:iam::*:user/c\", \"arn:aws:iam::*:user/root\"";
    let text = user("ann")
        + &policy(
            "user",
            "ann",
            &allow("iam:CreateAccessKey", "X").replace("\"X\"", &format!("[{resources}]")),
        )
        + &user("root")
        + &is_admin("user", "root");
    let json = Repository::new(&[("main.tf", &text)])
        .run(&["paths", "--format", "json"])
        .json();
    let need = &json["paths"][0]["hops"][0]["needs"][0];
    assert_eq!(need["resource"], "arn:aws:iam::*:user/root", "{json}");
}

/// A role with an instance profile.
fn profiled(role: &str) -> String {
    format!(
        "resource \"aws_iam_instance_profile\" \"{role}\" {{\n  name = \"{role}-profile\"\n  role = aws_iam_role.{role}.name\n}}\n"
    )
}

fn template(profile: &str) -> String {
    format!(
        "resource \"aws_launch_template\" \"t\" {{\n  name = \"t\"\n  iam_instance_profile {{\n    {profile}\n  }}\n}}\n"
    )
}

#[test]
fn launch_templates() {
    let boss = admin("boss", "ec2") + &profiled("boss");
    let by_name = boss.clone() + &template("name = aws_iam_instance_profile.boss.name");
    let ann = |actions: &str, resource: &str| user("ann") + &policy("user", "ann", &allow(actions, resource));
    let path = ["admin: user/ann → launch-template/t → role/boss"];
    let both = "ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate";
    for (actions, resource) in [
        (both, "*"),
        ("ssm:StartSession", "arn:aws:ec2:*:*:instance/*"),
        ("ec2-instance-connect:SendSSHPublicKey", "*"),
    ] {
        assert_eq!(paths(&(by_name.clone() + &ann(actions, resource))), path, "{actions}");
    }
    // A new version for an Auto Scaling group has any instance profile.
    let low = role("low", "{ Service = \"ec2.amazonaws.com\" }") + &profiled("low");
    let group = |version: &str| {
        format!(
            "resource \"aws_autoscaling_group\" \"g\" {{\n  launch_template {{\n    id = aws_launch_template.t.id\n    version = \
             \"{version}\"\n  }}\n}}\n"
        )
    };
    let all = boss + &low + &template("arn = aws_iam_instance_profile.low.arn");
    for (version, actions, found) in [
        ("$Latest", "ec2:CreateLaunchTemplateVersion", true),
        ("$Default", "ec2:CreateLaunchTemplateVersion", false),
        ("$Default", both, true),
        ("3", both, false),
    ] {
        let text = all.clone() + &group(version) + &ann(actions, "*");
        let expected = &["admin: user/ann → role/boss"][..usize::from(found)];
        assert_eq!(paths(&text), expected, "{version} {actions}");
    }
}

#[test]
fn methods_that_only_paths_know() {
    let machine = "resource \"aws_sfn_state_machine\" \"m\" {\n  name = \"m\"\n  role_arn = aws_iam_role.boss.arn\n}\n";
    let job = "resource \"aws_batch_job_definition\" \"j\" {\n  name = \"j\"\n  container_properties = jsonencode({ image = \
               \"x\", jobRoleArn = aws_iam_role.boss.arn })\n}\n";
    let cluster = "resource \"aws_emr_cluster\" \"c\" {\n  name = \"c\"\n  ec2_attributes {\n    instance_profile = \
                   aws_iam_instance_profile.boss.arn\n  }\n}\n";
    for (actions, service, there, through) in [
        ("iam:PassRole codebuild:StartBuild", "codebuild", String::new(), ""),
        (
            "iam:PassRole rolesanywhere:CreateProfile rolesanywhere:CreateTrustAnchor",
            "rolesanywhere",
            String::new(),
            "",
        ),
        ("iam:PassRole ssm:CreateActivation", "ssm", String::new(), ""),
        (
            "states:UpdateStateMachine states:StartExecution",
            "states",
            machine.to_owned(),
            "state-machine/m → ",
        ),
        ("batch:SubmitJob", "ecs-tasks", job.to_owned(), "job-definition/j → "),
        (
            "elasticmapreduce:AddJobFlowSteps",
            "ec2",
            cluster.to_owned() + &profiled("boss"),
            "cluster/c → ",
        ),
    ] {
        let ann = user("ann") + &policy("user", "ann", &allow(actions, "*"));
        let found = paths(&(admin("boss", service) + &there + &ann));
        assert_eq!(found, [format!("admin: user/ann → {through}role/boss")], "{actions}");
    }
}

#[test]
fn tasks_without_a_shell() {
    let task = |enabled: &str| {
        admin("boss", "ecs-tasks")
            + "resource \"aws_ecs_task_definition\" \"t\" {\n  family = \"t\"\n  task_role_arn = aws_iam_role.boss.arn\n}\n"
            + &format!(
                "resource \"aws_ecs_service\" \"s\" {{\n  task_definition = aws_ecs_task_definition.t.arn\n  \
                 enable_execute_command = {enabled}\n}}\n"
            )
            + &user("ann")
            + &policy("user", "ann", &allow("ecs:ExecuteCommand ecs:DescribeTasks", "*"))
    };
    assert_eq!(paths(&task("true")), ["admin: user/ann → task/t → role/boss"]);
    assert_eq!(paths(&task("false")), [""; 0]);
}

#[test]
fn open_apis() {
    let function =
        "resource \"aws_lambda_function\" \"f\" {\n  function_name = \"f\"\n  role = aws_iam_role.boss.arn\n}\n";
    let api = |authorization: &str| {
        format!(
            r#"
resource "aws_apigatewayv2_api" "a" {{
  name = "a"
  protocol_type = "HTTP"
}}
resource "aws_apigatewayv2_integration" "i" {{
  api_id = aws_apigatewayv2_api.a.id
  integration_type = "AWS_PROXY"
  integration_uri = aws_lambda_function.f.invoke_arn
}}
resource "aws_apigatewayv2_route" "r" {{
  api_id = aws_apigatewayv2_api.a.id
  route_key = "POST /x"
  target = "integrations/${{aws_apigatewayv2_integration.i.id}}"
  authorization_type = "{authorization}"
}}
"#
        )
    };
    let rest = |authorization: &str| {
        format!(
            r#"
resource "aws_api_gateway_rest_api" "a" {{
  name = "a"
}}
resource "aws_api_gateway_method" "m" {{
  rest_api_id = aws_api_gateway_rest_api.a.id
  resource_id = aws_api_gateway_rest_api.a.root_resource_id
  http_method = "POST"
  authorization = "{authorization}"
}}
resource "aws_api_gateway_integration" "i" {{
  rest_api_id = aws_api_gateway_rest_api.a.id
  resource_id = aws_api_gateway_rest_api.a.root_resource_id
  http_method = aws_api_gateway_method.m.http_method
  type = "AWS_PROXY"
  uri = aws_lambda_function.f.invoke_arn
}}
"#
        )
    };
    let direct = "resource \"aws_apigatewayv2_api\" \"a\" {\n  name = \"a\"\n  protocol_type = \"HTTP\"\n  target = \
                  aws_lambda_function.f.arn\n}\n";
    let there = admin("boss", "lambda") + function;
    for (api, open) in [
        (api("NONE"), true),
        (api("AWS_IAM"), false),
        (rest("NONE"), true),
        (rest("AWS_IAM"), false),
        (direct.to_owned(), true),
    ] {
        let found = paths(&(there.clone() + &api));
        assert_eq!(found.len(), usize::from(open), "{found:?} {api}");
        assert!(
            found.iter().all(|p| p.ends_with("→ function/f → role/boss")),
            "{found:?}"
        );
    }
    let other = "resource \"aws_lambda_permission\" \"p\" {\n  action = \"lambda:UpdateFunctionCode\"\n  function_name = \
                 aws_lambda_function.f.function_name\n  principal = \"999988887777\"\n}\n";
    assert_eq!(
        paths(&(there + other)),
        ["admin: account/999988887777 → function/f → role/boss"]
    );
    let sam = |auth: &str| {
        format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
             FunctionName: f\n      Handler: a.b\n      Runtime: python3.12\n      CodeUri: .\n      Events:\n        A:\n          \
             Type: Api\n          Properties: {{ Path: /, Method: get{auth} }}\n      Policies:\n        - AdministratorAccess\n"
        )
    };
    assert_eq!(paths_of(&[("t.yaml", &sam(""))], &[]).len(), 1);
    let asked = sam(", Auth: { Authorizer: AWS_IAM }");
    assert_eq!(paths_of(&[("t.yaml", &asked)], &[]), [""; 0]);
}

/// Ann may become a role that reads.
fn reader(actions: &str, resource: &str) -> String {
    user("ann")
        + &role("reader", "{ AWS = aws_iam_user.ann.arn }")
        + &policy("role", "reader", &allow(actions, resource))
}

#[test]
fn other_actions_that_read() {
    let bucket = "resource \"aws_s3_bucket\" \"b\" {\n  bucket = \"ledger\"\n}\n";
    let table = "resource \"aws_dynamodb_table\" \"t\" {\n  name = \"ledger\"\n}\n";
    let parameter = "resource \"aws_ssm_parameter\" \"p\" {\n  name = \"/prod/pw\"\n  type = \"SecureString\"\n}\n";
    for (actions, resource, there, data) in [
        ("s3:GetObjectVersion", "arn:aws:s3:::ledger/*", bucket, "bucket/ledger"),
        ("dynamodb:PartiQLSelect", "*", table, "table/ledger"),
        (
            "ssm:GetParametersByPath",
            "arn:aws:ssm:*:*:parameter/prod",
            parameter,
            "parameter//prod/pw",
        ),
    ] {
        let found = paths(&(reader(actions, resource) + there));
        assert_eq!(found, [format!("data: user/ann → role/reader → {data}")], "{actions}");
    }
    let elsewhere = reader("ssm:GetParametersByPath", "arn:aws:ssm:*:*:parameter/pro") + parameter;
    assert_eq!(paths(&elsewhere), [""; 0]);
}

#[test]
fn access_keys_in_settings() {
    let key = user("root")
        + &is_admin("user", "root")
        + "resource \"aws_iam_access_key\" \"k\" {\n  user = aws_iam_user.root.name\n}\n";
    let task = "resource \"aws_ecs_task_definition\" \"t\" {\n  family = \"t\"\n  container_definitions = jsonencode([{ name = \
                \"a\", environment = [{ name = \"K\", value = aws_iam_access_key.k.secret }] }])\n}\n";
    let project = "resource \"aws_codebuild_project\" \"c\" {\n  name = \"c\"\n  environment {\n    environment_variable {\n      \
                   name = \"K\"\n      value = aws_iam_access_key.k.secret\n    }\n  }\n}\n";
    let function = "resource \"aws_lambda_function\" \"f\" {\n  function_name = \"f\"\n  environment {\n    variables = { K = \
                    aws_iam_access_key.k.secret }\n  }\n}\n";
    for (action, there, holder) in [
        ("ecs:DescribeTaskDefinition", task, "task/t"),
        ("codebuild:BatchGetProjects", project, "project/c"),
        ("lambda:UpdateFunctionCode", function, "function/f"),
    ] {
        let ann = user("ann") + &policy("user", "ann", &allow(action, "*"));
        let found = paths(&(key.clone() + there + &ann));
        assert_eq!(found, [format!("admin: user/ann → {holder} → user/root")], "{action}");
    }
}

#[test]
fn secrets_with_a_key_that_keeps_readers_out() {
    let secret = |principal: &str| {
        format!(
            "resource \"aws_kms_key\" \"k\" {{\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \
             \"Allow\", Principal = {principal}, Action = \"kms:*\", Resource = \"*\" }}] }})\n}}\nresource \
             \"aws_secretsmanager_secret\" \"s\" {{\n  name = \"db\"\n  kms_key_id = aws_kms_key.k.arn\n}}\n"
        ) + ME
    };
    let path = ["data: user/ann → role/reader → secret/db"];
    let read = "secretsmanager:GetSecretValue";
    for (principal, actions, found) in [
        ("{ AWS = \"arn:aws:iam::111122223333:role/other\" }", read, false),
        (ACCOUNT, read, false),
        (ACCOUNT, "secretsmanager:GetSecretValue kms:Decrypt", true),
        ("{ AWS = aws_iam_role.reader.arn }", read, true),
    ] {
        let text = reader(actions, "*") + &secret(principal);
        assert_eq!(paths(&text), &path[..usize::from(found)], "{principal} {actions}");
    }
}

/// What runs already has a role only if the role trusts its service.
#[test]
fn a_role_that_does_not_trust_what_runs_as_it() {
    for (actions, resource, service) in [
        (
            "lambda:UpdateFunctionCode",
            "resource \"aws_lambda_function\" \"x\" {\n  function_name = \"x\"\n  role = aws_iam_role.boss.arn\n}\n",
            "lambda",
        ),
        (
            "cloudformation:UpdateStack",
            "resource \"aws_cloudformation_stack\" \"x\" {\n  name = \"x\"\n  iam_role_arn = aws_iam_role.boss.arn\n}\n",
            "cloudformation",
        ),
        (
            "glue:UpdateDevEndpoint",
            "resource \"aws_glue_dev_endpoint\" \"x\" {\n  name = \"x\"\n  role_arn = aws_iam_role.boss.arn\n}\n",
            "glue",
        ),
    ] {
        let with = |trusted: &str| {
            let own = user("ann") + &policy("user", "ann", &allow(actions, "*"));
            paths(&(own + &admin("boss", trusted) + resource)).len()
        };
        assert_eq!((with(service), with("cloudtrail")), (1, 0), "{service}");
    }
}
