# Roles that the services do not assume: each trusts EC2 only.

data "aws_iam_policy_document" "ec2" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "any" {
  assume_role_policy = data.aws_iam_policy_document.ec2.json
}

resource "aws_apprunner_service" "web" {
  service_name = "web"

  source_configuration {
    authentication_configuration {
      access_role_arn = aws_iam_role.any.arn # expect: role-trusts-other-service
    }
    image_repository {
      image_identifier      = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1"
      image_repository_type = "ECR"
    }
  }

  instance_configuration {
    instance_role_arn = aws_iam_role.any.arn # expect: role-trusts-other-service
  }
}

resource "aws_appsync_graphql_api" "orders" {
  name                = "orders"
  authentication_type = "AWS_IAM"

  log_config {
    cloudwatch_logs_role_arn = aws_iam_role.any.arn # expect: role-trusts-other-service
    field_log_level          = "ERROR"
  }
}

resource "aws_cognito_user_pool" "users" {
  name = "users"

  sms_configuration {
    external_id    = "orders-of-the-shop"
    sns_caller_arn = aws_iam_role.any.arn # expect: role-trusts-other-service
  }
}
