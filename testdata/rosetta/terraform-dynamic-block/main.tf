data "aws_iam_policy_document" "d" {
  dynamic "statement" {
    for_each = [["s3:*"], ["iam:PassRole"]]
    content {
      actions   = statement.value
      resources = ["*"]
    }
  }
}
resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.d.json
}
