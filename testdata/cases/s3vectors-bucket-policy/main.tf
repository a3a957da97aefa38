resource "aws_s3vectors_vector_bucket_policy" "documents" {
  vector_bucket_arn = "arn:aws:s3vectors:eu-west-1:111122223333:bucket/documents"
  policy            = jsonencode({ Version = "2012-10-17" }) # expect: missing-statement
}
