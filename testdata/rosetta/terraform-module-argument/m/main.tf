variable "actions" { type = list(string) }
variable "pass" { type = list(string) }
resource "aws_iam_policy" "p" {
  name   = "p"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = var.actions, Resource = "*" },
      { Effect = "Allow", Action = var.pass, Resource = "*" },
    ]
  })
}
