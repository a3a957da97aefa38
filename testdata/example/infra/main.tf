locals {
  report_actions = ["s3:Get*", "s3:Put*"]
}

resource "aws_iam_policy" "ci" {
  name   = "ci"
  policy = file("${path.module}/policies/ci.json")
}

resource "aws_iam_role" "deploy" {
  name               = "deploy"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "deploy_ci" {
  role       = aws_iam_role.deploy.name
  policy_arn = aws_iam_policy.ci.arn
}

resource "aws_iam_role_policy" "deploy_reports" {
  role = aws_iam_role.deploy.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = concat(local.report_actions, ["iam:PassRole"])
        Resource = "*"
      }
    ]
  })
}
