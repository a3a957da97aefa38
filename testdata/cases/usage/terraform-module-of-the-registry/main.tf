module "fn" {
  source        = "terraform-aws-modules/lambda/aws"
  function_name = "fn"
  handler       = "app.handler"
  runtime       = "python3.12"
  source_path   = "${path.module}/src"
  attach_policy_statements = true
  policy_statements = {
    s3 = { effect = "Allow", actions = ["s3:GetObject", "s3:PutObjectAcl"], resources = ["arn:aws:s3:::b/*"] } # expect: unused-grant
  }
}
