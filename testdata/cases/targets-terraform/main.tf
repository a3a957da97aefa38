# Groups that may change what runs as an administrator.

resource "aws_iam_role" "endpoint" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "endpoint" {
  role       = aws_iam_role.endpoint.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess" # expect: managed-administrator-access
}

resource "aws_glue_dev_endpoint" "notebook" {
  name     = "notebook"
  role_arn = aws_iam_role.endpoint.arn
}

resource "aws_iam_group" "developers" { # expect: mfa-not-enforced-group
  name = "developers"
}

resource "aws_iam_group_policy" "developers" {
  group = aws_iam_group.developers.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "glue:UpdateDevEndpoint"
      Resource = aws_glue_dev_endpoint.notebook.arn # expect: privesc-target-in-repo
    }]
  })
}

resource "aws_iam_role" "instance" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "tasks.apprunner.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "instance" {
  role       = aws_iam_role.instance.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess" # expect: managed-administrator-access
}

resource "aws_apprunner_service" "web" {
  service_name = "web"

  source_configuration {
    image_repository {
      image_identifier      = "public.ecr.aws/aws-containers/hello-app-runner:latest"
      image_repository_type = "ECR_PUBLIC"
    }
  }

  instance_configuration {
    instance_role_arn = aws_iam_role.instance.arn
  }
}

resource "aws_iam_group" "operators" { # expect: mfa-not-enforced-group
  name = "operators"
}

resource "aws_iam_group_policy" "operators" {
  group = aws_iam_group.operators.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "apprunner:UpdateService"
      Resource = aws_apprunner_service.web.arn # expect: privesc-target-in-repo
    }]
  })
}
