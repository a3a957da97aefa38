variable "bucket" {
  type    = string
  default = "uploads"
}

locals {
  services = ["lambda.amazonaws.com"]
  document = {
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["logs:PutLogEvents"], Resource = "arn:aws:logs:eu-west-1:123456789012:log-group:app:*" },
    ]
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:acme/app:ref:refs/heads/main"]
    }
  }
}

data "aws_iam_policy_document" "work" {
  statement {
    sid       = "Objects"
    actions   = ["s3:GetObject", "s3:*"]
    resources = ["arn:aws:s3:::${var.bucket}/*"]
  }
  statement {
    effect    = "Deny"
    actions   = ["s3:DeleteBucket"]
    resources = ["*"]
  }
  statement {
    actions   = ["iam:PassRole"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "deploy" {
  name                 = "deploy"
  permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_policy" "work" {
  name   = "work"
  policy = data.aws_iam_policy_document.work.json
}

resource "aws_iam_role_policy_attachment" "work" {
  role       = aws_iam_role.deploy.name
  policy_arn = aws_iam_policy.work.arn
}

resource "aws_iam_role_policy" "logs" {
  role   = aws_iam_role.deploy.id
  policy = jsonencode(local.document)
}

resource "aws_s3_bucket" "uploads" {
  bucket = var.bucket
}

resource "aws_s3_bucket_policy" "uploads" {
  bucket = aws_s3_bucket.uploads.id
  policy = <<EOF
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Read",
      "Effect": "Allow",
      "Principal": "*",
      "Action": "s3:GetObject",
      "Resource": "${aws_s3_bucket.uploads.arn}/*",
      "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcd123456"}}
    }
  ]
}
EOF
}

resource "aws_s3_bucket_public_access_block" "uploads" {
  bucket                  = aws_s3_bucket.uploads.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_iam_policy" "ops" {
  name = "ops"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "ec2:*"
        Resource = "*"
        Condition = {
          StringEquals = { "aws:RequestedRegion" = "eu-west-1" }
        }
      },
    ]
  })
}

resource "aws_lambda_permission" "events" {
  action        = "lambda:InvokeFunction"
  function_name = "upload"
  principal     = "events.amazonaws.com"
  source_arn    = "arn:aws:events:eu-west-1:123456789012:rule/nightly"
}
