variable "public" {
  type = bool
}

resource "aws_s3_bucket" "b" {
}

resource "aws_s3_bucket_policy" "b" {
  count  = var.public ? 1 : 0
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*" # expect: resource-policy-public
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.b.arn}/*"
    }]
  })
}
