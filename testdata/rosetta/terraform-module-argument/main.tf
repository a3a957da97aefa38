module "p" {
  source  = "./m"
  actions = ["s3:*"]
  pass    = ["iam:PassRole"]
}
