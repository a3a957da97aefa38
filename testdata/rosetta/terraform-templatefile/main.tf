resource "aws_iam_policy" "p" {
  name   = "p"
  policy = templatefile("${path.module}/p.json.tftpl", { service = "s3" })
}
