locals {
  services = ["s3"]
  stmts = concat(
    [for s in local.services : { Effect = "Allow", Action = ["${s}:*"], Resource = "*" }],
    [{ Effect = "Allow", Action = ["iam:PassRole"], Resource = "*" }],
  )
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = local.stmts })
}
