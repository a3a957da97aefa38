//! `overgrant graph`: who can become whom, drawn.

use std::path::Path;

use crate::support::repository::Repository;

/// The repository of the page about paths: ann → build-images → accounts → account-admin.
fn example() -> Repository {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("testdata/paths/main.tf")).unwrap();
    Repository::new(&[("infra/main.tf", &text)])
}

fn graph(r: &Repository, args: &[&str]) -> String {
    let ran = r.run(&[&["graph"], args].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

/// What a page holds, as its script reads it.
fn data_of(page: &str) -> serde_json::Value {
    let start = "<script type=\"application/json\" id=\"data\">";
    let data = page.split(start).nth(1).unwrap().split("</script>").next().unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn the_graph_has_the_nodes_edges_and_paths() {
    let json: serde_json::Value = serde_json::from_str(&graph(&example(), &["-f", "json"])).unwrap();
    let nodes = json["nodes"].as_array().unwrap();
    let ids: Vec<&str> = nodes.iter().map(|n| n["id"].as_str().unwrap()).collect();
    for id in [
        "infra:aws_iam_user.ann",
        "infra:aws_iam_role.build",
        "infra:aws_lambda_function.admin",
    ] {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
    let admin = nodes.iter().find(|n| n["name"] == "account-admin").unwrap();
    assert_eq!((&admin["gain"], &admin["start"]), (&"admin".into(), &false.into()));
    let edges = json["edges"].as_array().unwrap();
    let path = &json["paths"][0];
    assert_eq!(
        path["nodes"],
        serde_json::json!([
            "infra:aws_iam_user.ann",
            "infra:aws_iam_role.build",
            "infra:aws_lambda_function.admin",
            "infra:aws_iam_role.admin"
        ])
    );
    let steps = path["edges"].as_array().unwrap();
    let step = |i: usize| &edges[usize::try_from(steps[i].as_u64().unwrap()).unwrap()];
    assert_eq!(step(0)["by"], "assumes the role");
    assert_eq!(step(0)["severity"], "high");
    assert_eq!(step(0)["needs"][0]["path"], "infra/main.tf");
    assert_eq!(step(0)["needs"][0]["span"]["start"]["line"], 10);
    assert_eq!(step(1)["from"], path["nodes"][1]);
    // A finding is where its place is an edge's need, or where it is about the node.
    let findings = json["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    let listed = nodes
        .iter()
        .chain(edges)
        .flat_map(|x| x["findings"].as_array().unwrap());
    assert!(listed.clone().count() > 0);
    assert!(listed.map(|f| f.as_u64().unwrap()).all(|f| f < findings.len() as u64));
}

#[test]
fn every_format_draws_the_path() {
    let r = example();
    let dot = graph(&r, &["-f", "dot"]);
    assert!(dot.starts_with("digraph access {") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains("[label=\"changes the code of a function"), "{dot}");
    let mermaid = graph(&r, &["-f", "mermaid"]);
    assert!(mermaid.starts_with("flowchart LR\n"), "{mermaid}");
    assert!(
        mermaid.contains("[\"role/account-admin<br/>role, administrator\"]:::admin"),
        "{mermaid}"
    );
    assert!(mermaid.contains("==>|\"assumes the role\"|"), "{mermaid}");
    let svg = graph(&r, &["-f", "svg"]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(
        svg.contains(">user/ann</text>") && svg.contains("prefers-color-scheme"),
        "{svg}"
    );
    assert_eq!(graph(&r, &["-f", "svg"]), svg);
    let html = graph(&r, &[]);
    assert_eq!(data_of(&html)["nodes"].as_array().unwrap().len(), 4);
}

/// A page that loads nothing: it names no address, and forbids what it does not need.
#[test]
fn the_page_is_one_file() {
    let html = graph(&example(), &["-f", "html"]);
    for outside in [
        "http://",
        "https://",
        "//cdn",
        "<link",
        "@import",
        "url(",
        "fetch(",
        "innerHTML",
        " src=",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'"));
    let data = data_of(&html);
    assert_eq!(
        data["files"][0],
        serde_json::json!(["infra/main.tf", "./infra/main.tf"])
    );
    assert_eq!(data["paths"][0][3].as_array().unwrap().len(), 4);
}

#[test]
fn a_file_is_written_with_links_from_where_it_is() {
    let r = example();
    r.write("out/keep", b"");
    let ran = r.run(&["graph", "infra", "--output", "out/graph.html"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let data = data_of(&r.read("out/graph.html"));
    assert_eq!(
        data["files"][0],
        serde_json::json!(["infra/main.tf", "./../infra/main.tf"])
    );
    r.run(&["graph", "infra", "-o", "graph.svg"]);
    assert!(r.read("graph.svg").starts_with("<svg "));
    r.run(&["graph", "infra", "-o", "graph.svg", "-f", "dot"]);
    assert!(r.read("graph.svg").starts_with("digraph "));
    assert_eq!(r.run(&["graph", "-o", "no/such/folder.html"]).code, 2);
}

#[test]
fn a_part_is_drawn() {
    let r = example();
    r.write(
        "infra/apart.tf",
        b"resource \"aws_iam_user\" \"eve\" {\n  name = \"eve\"\n}\n",
    );
    let names = |args: &[&str]| -> Vec<String> {
        let json: serde_json::Value = serde_json::from_str(&graph(&r, &[&["-f", "json"], args].concat())).unwrap();
        let nodes = json["nodes"].as_array().unwrap().iter();
        let mut names: Vec<String> = nodes.map(|n| n["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let path = ["account-admin", "accounts", "ann", "build-images"];
    assert_eq!(names(&[]), ["account-admin", "accounts", "ann", "build-images", "eve"]);
    assert_eq!(names(&["--focus", "user/ann"]), path);
    assert_eq!(names(&["--focus", "aws_iam_role.build"]), path);
    assert_eq!(names(&["--focus", "eve"]), ["eve"]);
    assert_eq!(
        names(&["--focus", "user/*"]),
        ["account-admin", "accounts", "ann", "build-images", "eve"]
    );
    let html = graph(&r, &["--focus", "user/ann"]);
    let data = data_of(&html);
    let focus = usize::try_from(data["focus"][0].as_u64().unwrap()).unwrap();
    assert_eq!(data["nodes"][focus]["l"], "user/ann");
    let none = r.run(&["graph", "--focus", "anne"]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert!(
        none.err
            .contains("no identity or resource is called `anne`; candidates: `user/ann`"),
        "{}",
        none.err
    );
    let none = r.run(&["graph", "--focus", "build"]);
    assert!(none.err.contains("candidates: `role/build-images`"), "{}", none.err);
}

/// What each of many can be reached by is one node with its members.
#[test]
fn many_are_one_node() {
    let mut text = String::from("data \"aws_caller_identity\" \"me\" {}\n");
    let trust = "assume_role_policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \
                 \"sts:AssumeRole\", Principal = { AWS = data.aws_caller_identity.me.account_id } }] })";
    for i in 0..40 {
        text.push_str(&format!(
            "resource \"aws_iam_role\" \"r{i}\" {{\n  name = \"r{i}\"\n  {trust}\n}}\nresource \"aws_iam_role_policy\" \"r{i}\" {{\n  \
             role = aws_iam_role.r{i}.id\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \
             \"Allow\", Action = \"sts:AssumeRole\", Resource = \"*\" }}] }})\n}}\n"
        ));
    }
    let r = Repository::new(&[("main.tf", &text)]);
    let json: serde_json::Value = serde_json::from_str(&graph(&r, &["-f", "json"])).unwrap();
    let nodes = json["nodes"].as_array().unwrap();
    let set = nodes.iter().find(|n| n["kind"] == "set").unwrap();
    assert_eq!(
        (&set["name"], &set["members"]),
        (&"every role that trusts its account".into(), &40.into())
    );
    assert_eq!((nodes.len(), json["edges"].as_array().unwrap().len()), (41, 80));
    for format in ["html", "svg", "dot", "mermaid"] {
        assert!(
            graph(&r, &["-f", format]).contains("40 members") || format == "html",
            "{format}"
        );
    }
}

/// What a file says ends no string, element, or script, and is no command of a format.
#[test]
fn hostile_names_are_text() {
    let name = r##"</script><script>alert(1)</script>"] ; n9 --> n0 %%{init: {}}%% <b>&lt;'`\\N"##;
    let template = serde_json::json!({"Resources": {
        name: {"Type": "AWS::IAM::User", "Properties": {"UserName": format!("{name}\u{1}\u{202e}\n::error::x"), "Policies": [
            {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*"}]}}]}},
    }});
    let r = Repository::new(&[("t.json", &template.to_string())]);
    let html = graph(&r, &["-f", "html"]);
    assert_eq!(html.matches("<script").count(), 2);
    assert_eq!(html.matches("</script>").count(), 2);
    let label = data_of(&html)["nodes"][0]["l"].as_str().unwrap().to_owned();
    assert!(label.contains("</script><script>alert(1)</script>\"]") && !label.contains(['\n', '\u{1}', '\u{202e}']));
    let svg = graph(&r, &["-f", "svg"]);
    assert!(
        !svg.contains("<script") && !svg.contains("<b>") && !svg.contains(['\u{1}', '\u{202e}']),
        "{svg}"
    );
    quick_xml_reads(&svg);
    let dot = graph(&r, &["-f", "dot"]);
    for line in dot.lines().filter(|l| l.starts_with("  n")) {
        let unescaped = line.replace("\\\\", "").replace("\\\"", "");
        assert!(
            unescaped.matches('"').count() % 2 == 0 && line.ends_with("];"),
            "{line}"
        );
        assert!(
            !unescaped.split('"').step_by(2).any(|outside| outside.contains("n9")),
            "{line}"
        );
    }
    let mermaid = graph(&r, &["-f", "mermaid"]);
    assert!(
        !mermaid.contains("%%{") && !mermaid.contains("<script") && !mermaid.contains("--> n0"),
        "{mermaid}"
    );
    assert!(
        mermaid.lines().all(|l| l == "flowchart LR" || l.starts_with("  ")),
        "{mermaid}"
    );
    assert!(!mermaid.contains('`') && !mermaid.contains("<b>"), "{mermaid}");
}

fn quick_xml_reads(svg: &str) {
    let mut reader = quick_xml::Reader::from_str(svg);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => break,
            Ok(_) => {}
            Err(e) => panic!("{e}: {svg}"),
        }
    }
}

#[test]
fn secrets_are_masked() {
    let key = ["AKIA", "Q3EXAMPLEWXY", "2Z7K"].concat();
    let text = format!(
        "provider \"aws\" {{\n  access_key = \"{key}\"\n}}\nresource \"aws_iam_user\" \"u\" {{\n  name = \"u-{key}\"\n}}\n\
         resource \"aws_iam_user_policy\" \"u\" {{\n  user = aws_iam_user.u.name\n  policy = jsonencode({{ Version = \
         \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"iam:PutUserPolicy\", Resource = \"*\" }}] }})\n}}\n"
    );
    let r = Repository::new(&[("main.tf", &text)]);
    for format in ["html", "svg", "dot", "mermaid", "json"] {
        let out = graph(&r, &["-f", format]);
        assert!(!out.contains(&key) && out.contains("AKIA"), "{format}: {out}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let r = example();
    r.write("broken.tf", b"resource {");
    for format in ["html", "svg", "dot", "mermaid", "json"] {
        assert_eq!(r.run(&["graph", "-f", format]).code, 1, "{format}");
    }
    let json = r.run(&["graph", "-f", "json"]).json();
    assert_eq!(json["errors"][0]["path"], "broken.tf");
    assert_eq!(r.run(&["graph", "no-such-file"]).code, 2);
    assert_eq!(r.run(&["graph", "-f", "png"]).code, 2);
}

#[test]
fn an_empty_graph_is_drawn() {
    let r = Repository::new(&[("main.tf", "resource \"aws_s3_bucket\" \"b\" {}\n")]);
    for format in ["html", "svg", "dot", "mermaid", "json"] {
        assert!(!graph(&r, &["-f", format]).is_empty());
    }
    let none = r.run(&["graph", "--focus", "x"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("the files declare nothing"), "{}", none.err);
}

/// Repositories side by side are one graph, and someone outside is one node.
#[test]
fn several_repositories_are_one_graph() {
    let role = |name: &str| {
        format!(
            "resource \"aws_iam_role\" \"r\" {{\n  name = \"{name}\"\n  assume_role_policy = jsonencode({{ Version = \"2012-10-17\", \
             Statement = [{{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {{ AWS = \
             \"arn:aws:iam::210987654321:root\" }} }}] }})\n}}\n"
        )
    };
    let r = Repository::new(&[("a/main.tf", &role("one")), ("b/main.tf", &role("two"))]);
    std::fs::remove_dir(r.path(".git")).unwrap();
    for folder in ["a/.git", "b/.git"] {
        r.write(&format!("{folder}/HEAD"), b"ref: refs/heads/main\n");
    }
    let json: serde_json::Value = serde_json::from_str(&graph(&r, &["-f", "json", "a", "b"])).unwrap();
    let nodes = json["nodes"].as_array().unwrap();
    let outside: Vec<&serde_json::Value> = nodes.iter().filter(|n| n["kind"] == "account").collect();
    assert_eq!((nodes.len(), outside.len()), (3, 1), "{json}");
    assert_eq!(outside[0]["account"], "210987654321");
    let edges = json["edges"].as_array().unwrap();
    assert!(
        edges.iter().all(|e| e["from"] == outside[0]["id"]) && edges.len() == 2,
        "{json}"
    );
}

/// Where code is put on the way, it is a node of the path, and each edge is that of its step.
#[test]
fn a_bucket_on_the_way_is_a_node() {
    let text = r#"
resource "aws_iam_user" "ann" {
  name = "ann"
}
resource "aws_iam_user_policy" "ann" {
  user   = aws_iam_user.ann.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["iam:PassRole", "glue:CreateJob", "glue:StartJobRun"], Resource = "*" },
    { Effect = "Allow", Action = "s3:PutObject", Resource = "${aws_s3_bucket.scripts.arn}/*" },
  ] })
}
resource "aws_s3_bucket" "scripts" {
  bucket = "scripts"
}
resource "aws_iam_role" "boss" {
  name               = "boss"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "glue.amazonaws.com" } },
  ] })
}
resource "aws_iam_role_policy_attachment" "boss" {
  role       = aws_iam_role.boss.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
"#;
    let r = Repository::new(&[("main.tf", text)]);
    let json: serde_json::Value = serde_json::from_str(&graph(&r, &["-f", "json"])).unwrap();
    let path = &json["paths"][0];
    let nodes = path["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3, "{path}");
    let steps = path["edges"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "{path}");
    for (i, step) in steps.iter().enumerate() {
        let edge = &json["edges"][usize::try_from(step.as_u64().unwrap()).unwrap()];
        assert_eq!((&edge["from"], &edge["to"]), (&nodes[i], &nodes[i + 1]));
    }
    assert!(nodes[1].as_str().unwrap().contains("aws_s3_bucket.scripts"), "{path}");
}
