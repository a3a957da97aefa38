//! A role whose name or ARN goes somewhere that is not read is not compared: something there may use it.

use crate::support::repository::Repository;

const SEND: &str = "import boto3\n\n\ndef handler(event, context):\n    \
                    boto3.client('sqs').send_message(QueueUrl='q', MessageBody='m')\n";

/// A function that uses one of the two actions of its role, whose name is `sender`.
fn template(more: &str) -> String {
    format!(
        "Parameters:\n  Prefix: {{Type: String}}\nResources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      \
         RoleName: sender\n      AssumeRolePolicyDocument:\n        Statement: [{{Effect: Allow, Principal: {{Service: \
         lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}]\n      Policies:\n        - PolicyName: p\n          \
         PolicyDocument: {{Statement: [{{Effect: Allow, Action: ['sqs:SendMessage', 'sqs:DeleteQueue'], Resource: \
         '*'}}]}}\n  Send:\n    Type: AWS::Lambda::Function\n    Properties: {{Runtime: python3.13, Handler: app.handler, Code: \
         src/, Role: !GetAtt Role.Arn}}\n{more}"
    )
}

fn terraform(more: &str) -> String {
    format!(
        "data \"aws_iam_policy_document\" \"trust\" {{\n  statement {{\n    actions = [\"sts:AssumeRole\"]\n    principals {{\n      \
         type        = \"Service\"\n      identifiers = [\"lambda.amazonaws.com\"]\n    }}\n  }}\n}}\nresource \"aws_iam_role\" \
         \"r\" {{\n  name               = \"sender\"\n  assume_role_policy = \
         data.aws_iam_policy_document.trust.json\n}}\nresource \"aws_iam_role_policy\" \"p\" {{\n  role   = \
         aws_iam_role.r.id\n  policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", Action = [\"sqs:SendMessage\", \
         \"sqs:DeleteQueue\"], Resource = \"*\" }}] }})\n}}\nresource \"aws_lambda_function\" \"f\" {{\n  function_name = \"f\"\n  \
         runtime       = \"python3.13\"\n  handler       = \"app.handler\"\n  filename      = data.archive_file.f.output_path\n  role          = \
         aws_iam_role.r.arn\n}}\ndata \"archive_file\" \"f\" {{\n  type        = \"zip\"\n  source_dir  = \"src\"\n  output_path \
         = \"f.zip\"\n}}\n{more}"
    )
}

fn is_compared(files: &[(&str, &str)]) -> bool {
    let ran = Repository::new(files).run(&["check", "--format", "json"]);
    let report = ran.json();
    let found = report["findings"].as_array().expect("findings").iter();
    let mut rules = found.map(|f| f["rule"].as_str().unwrap_or_default().to_owned());
    rules.any(|rule| rule == "unused-grant")
}

#[test]
fn templates_that_hand_the_role_on() {
    for more in [
        // To a nested stack whose template is not here.
        "  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: 'https://s3.amazonaws.com/b/c.yaml', Parameters: {Role: !GetAtt Role.Arn}}\n",
        "  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: !Ref Prefix, Parameters: {RoleName: !Ref Role}}\n",
        "  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: !Ref Prefix, Parameters: {RoleName: sender}}\n",
        "  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: !Ref Prefix, Parameters: {Arn: !Sub 'arn:aws:iam::${AWS::AccountId}:role/sender'}}\n",
        "  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: !Ref Prefix\n      Parameters: {Arn: {'Fn::Join': ['', ['arn:aws:iam::', !Ref 'AWS::AccountId', ':role/sender']]}}\n",
        "  Child:\n    Type: AWS::CloudFormation::StackSet\n    Properties: {TemplateURL: !Ref Prefix, Parameters: [{ParameterKey: R, ParameterValue: !GetAtt Role.Arn}]}\n",
        // To whoever reads it.
        "  Said:\n    Type: AWS::SSM::Parameter\n    Properties: {Type: String, Name: /r, Value: !GetAtt Role.Arn}\n",
        "  Said:\n    Type: AWS::SSM::Parameter\n    Properties: {Type: String, Name: /r, Value: !Sub 'arn:aws:iam::${AWS::AccountId}:role/sender'}\n",
        "  Said:\n    Type: AWS::SecretsManager::Secret\n    Properties: {SecretString: !Sub '{\"role\":\"${Role.Arn}\"}'}\n",
        "  Said:\n    Type: AWS::ServiceCatalog::CloudFormationProvisionedProduct\n    Properties: {ProvisioningParameters: [{Key: R, Value: !GetAtt Role.Arn}]}\n",
        // To code that is not known.
        "  Made:\n    Type: Custom::EdgeFunction\n    Properties: {ServiceToken: !Ref Prefix, Role: !GetAtt Role.Arn}\n",
        "  Made:\n    Type: AWS::CloudFormation::CustomResource\n    Properties: {ServiceToken: !Ref Prefix, Role: sender}\n",
        "  Host:\n    Type: AWS::EC2::Instance\n    Properties:\n      UserData: {'Fn::Base64': !Sub 'aws lambda create-function --role ${Role.Arn}'}\n",
        "Outputs:\n  Arn: {Value: !GetAtt Role.Arn, Export: {Name: r}}\n",
        // To a function that has its role from a parameter of the same name.
        "  Other:\n    Type: AWS::Lambda::Function\n    Properties: {Runtime: nodejs22.x, Handler: i.h, Code: js/, Role: !ImportValue SenderRoleArn}\nOutputs:\n  SenderRoleArn: {Value: !GetAtt Role.Arn}\n",
    ] {
        let template = template(more);
        assert!(
            !is_compared(&[("template.yaml", &template), ("src/app.py", SEND)]),
            "{more}"
        );
    }
}

#[test]
fn modules_that_hand_the_role_on() {
    for more in [
        "module \"m\" {\n  source = \"git::https://example.com/m.git\"\n  role   = aws_iam_role.r.arn\n}\n",
        "module \"m\" {\n  source = \"app.terraform.io/example/m/aws\"\n  names  = { lambda = aws_iam_role.r.name }\n}\n",
        "module \"m\" {\n  source    = \"example/m/aws\"\n  role_name = \"sender\"\n}\n",
        "module \"m\" {\n  source = \"../gone\"\n  role   = aws_iam_role.r.arn\n}\n",
        "resource \"aws_ssm_parameter\" \"p\" {\n  name  = \"/r\"\n  type  = \"String\"\n  value = aws_iam_role.r.arn\n}\n",
        "resource \"aws_secretsmanager_secret_version\" \"p\" {\n  secret_id     = \"s\"\n  secret_string = jsonencode({ role = aws_iam_role.r.arn })\n}\n",
        "resource \"aws_cloudformation_stack\" \"s\" {\n  name         = \"s\"\n  template_url = \"https://s3.amazonaws.com/b/c.yaml\"\n  parameters   = { Role = aws_iam_role.r.arn }\n}\n",
        "resource \"local_file\" \"f\" {\n  filename = \"samconfig\"\n  content  = \"role = ${aws_iam_role.r.arn}\"\n}\n",
        "resource \"null_resource\" \"n\" {\n  triggers = { role = aws_iam_role.r.arn }\n}\n",
        "resource \"terraform_data\" \"n\" {\n  input = aws_iam_role.r.arn\n}\n",
    ] {
        let module = terraform(more);
        assert!(!is_compared(&[("main.tf", &module), ("src/app.py", SEND)]), "{more}");
    }
}

#[test]
fn what_only_names_the_role_does_not_use_it() {
    let child = "Parameters:\n  Role: {Type: String}\nResources:\n  T:\n    Type: AWS::SNS::Topic\n";
    for more in [
        "",
        "  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: child.yaml, Parameters: {Role: !GetAtt Role.Arn}}\n",
        "  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: !Ref Prefix, Parameters: {Name: other}}\n",
        "  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: {Statement: [{Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: 'kms:Decrypt', Resource: '*'}]}\n",
        "  May:\n    Type: AWS::LakeFormation::PrincipalPermissions\n    Properties: {Principal: {DataLakePrincipalIdentifier: !GetAtt Role.Arn}}\n",
        "Outputs:\n  Arn: {Value: !GetAtt Role.Arn}\n",
    ] {
        let template = template(more);
        let files = [
            ("template.yaml", template.as_str()),
            ("child.yaml", child),
            ("src/app.py", SEND),
        ];
        assert!(is_compared(&files), "{more}");
    }
    for more in [
        "",
        "resource \"aws_lakeformation_permissions\" \"p\" {\n  principal   = aws_iam_role.r.arn\n  permissions = [\"SELECT\"]\n}\n",
        "output \"role\" {\n  value = aws_iam_role.r.arn\n}\n",
        "resource \"kubernetes_config_map\" \"auth\" {\n  data = { mapRoles = aws_iam_role.r.arn }\n}\n",
        "module \"m\" {\n  source = \"git::https://example.com/m.git\"\n  name   = aws_lambda_function.f.function_name\n}\n",
    ] {
        let module = terraform(more);
        assert!(is_compared(&[("main.tf", &module), ("src/app.py", SEND)]), "{more}");
    }
}
