terraform {
  source = "./module"
}
inputs = {
  actions = ["s3:*"]
}
