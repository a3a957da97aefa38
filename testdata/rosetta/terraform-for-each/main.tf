locals {
  policies = {
    s3  = [["s3:*"], ["iam:PassRole"]]
  }
}
resource "aws_iam_policy" "p" {
  for_each = local.policies
  name   = each.key
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for a in each.value : { Effect = "Allow", Action = a, Resource = "*" }]
  })
}
