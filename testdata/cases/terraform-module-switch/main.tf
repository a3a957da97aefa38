module "reports" {
  source = "./bucket"
  public = false
}

module "site" {
  source = "./bucket"
  public = true
}
