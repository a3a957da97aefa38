//! `check --format html`: the report as a page for a browser.

use std::path::Path;

use base64::Engine as _;
use sha2::Digest as _;

use crate::support::repository::{Repository, key_pair};

fn page(r: &Repository, args: &[&str]) -> String {
    r.run(&[&["check", "-f", "html"], args].concat()).out
}

/// The entries of the list of findings.
fn entries(page: &str) -> Vec<&str> {
    let list = page.split("<div id=\"list\">").nth(1).unwrap();
    list.split("<li id=\"f").skip(1).collect()
}

/// What lies between the tags of the only element of this name.
fn inside<'p>(page: &'p str, name: &str) -> &'p str {
    assert_eq!(page.matches(&format!("<{name}")).count(), 1, "{name}");
    let after = page.split(&format!("<{name}>")).nth(1).unwrap();
    after.split(&format!("</{name}>")).next().unwrap()
}

fn example() -> Repository {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("testdata/paths/main.tf")).unwrap();
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    Repository::new(&[("infra/main.tf", &text), ("policy.json", policy)])
}

#[test]
fn every_finding_is_in_the_page() {
    let r = example();
    let all = r.run(&["check", "-f", "json"]).findings();
    let html = page(&r, &[]);
    let entries = entries(&html);
    assert!(all.len() > 3, "{all:?}");
    assert_eq!(entries.len(), all.len());
    for f in &all {
        let text = |key: &str| f[key].as_str().unwrap();
        let place = format!("<code>{}:{}</code>", text("path"), f["span"]["start"]["line"]);
        let has = |entry: &&&str| {
            entry.contains(&place)
                && entry.contains(text("fingerprint"))
                && entry.contains(&format!("<code>{}</code>", text("rule")))
                && entry.contains(&format!("severity {}", text("severity")))
        };
        assert_eq!(entries.iter().filter(has).count(), 1, "{f}");
        assert!(html.contains(&format!("id=\"rule-{}\"", text("rule"))), "{f}");
    }
    // The worst comes first.
    assert!(entries[0].contains("severity critical"), "{}", entries[0]);
}

#[test]
fn a_finding_shows_its_source_its_path_and_its_identity() {
    let html = page(&example(), &[]);
    let all = entries(&html);
    let marked = all.iter().find(|e| e.contains("policy.json")).unwrap();
    assert!(
        marked.contains("<mark class=\"primary\">&quot;*&quot;</mark>"),
        "{marked}"
    );
    let path = all.iter().find(|e| e.contains("<ol class=\"path\">")).unwrap();
    assert!(path.contains("infra/main.tf:") && path.contains("<li><span>"), "{path}");
    let facet = html.split("data-facet=\"i\"").nth(1).unwrap();
    assert!(facet.contains("<th scope=\"row\">user ann</th>"), "{facet}");
    assert!(all.iter().any(|e| e.contains("<dt>Identities</dt><dd>user ann</dd>")));
}

#[test]
fn labels_in_other_files_are_shown_with_their_file() {
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    let r = Repository::new(&[
        ("p/ci.json", policy),
        (
            "main.tf",
            "resource \"aws_iam_policy\" \"ci\" {\n  policy = file(\"${path.module}/p/ci.json\")\n}\n",
        ),
    ]);
    let html = page(&r, &["--only", "admin-star-star"]);
    let entry = entries(&html)[0];
    let captions: Vec<&str> = entry.split("<figcaption><code>").skip(1).collect();
    assert!(captions[0].starts_with("p/ci.json:1:"), "{entry}");
    assert!(captions[1].starts_with("main.tf:2:"), "{entry}");
    assert!(!page(&r, &["--no-source"]).contains("<figure>"));
}

#[test]
fn excerpts_stand_without_their_common_indentation() {
    let policy = r#"{
  "Version": "2012-10-17",
  "Statement": [
        {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*"
        }
  ]
}"#;
    let html = page(
        &Repository::new(&[("policy.json", policy)]),
        &["--only", "admin-star-star"],
    );
    let entry = entries(&html)[0];
    // The text of a label stands below what it is about.
    for part in [
        "policy.json:6:23</code>",
        "6 │</span>     &quot;Action&quot;: <mark class=\"primary\">&quot;*&quot;</mark>,\n",
        "  │</span>               <span class=\"primary\">╰ every action</span>\n",
        "8 │</span> }\n",
    ] {
        assert!(entry.contains(part), "{part}: {entry}");
    }
}

#[test]
fn the_page_loads_nothing_and_runs_only_its_script() {
    let html = page(&example(), &[]);
    for outside in [
        "http:", "https:", "//cdn", "src=", "url(", "@import", "style=\"", "onclick", "<link", "<iframe",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    let policy = html
        .split("http-equiv=\"Content-Security-Policy\" content=\"")
        .nth(1)
        .unwrap();
    let policy = policy.split('"').next().unwrap();
    let hash = |text: &str| {
        let digest = sha2::Sha256::digest(text);
        format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
    };
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
            hash(inside(&html, "style")),
            hash(inside(&html, "script"))
        )
    );
    // Paper is white, whatever the screen is.
    assert_eq!(
        html.matches("prefers-color-scheme: dark").count(),
        html.matches("@media screen and (prefers-color-scheme: dark)").count()
    );
    assert!(html.contains("prefers-color-scheme: dark"));
    for part in [
        "<header>",
        "<main>",
        "role=\"search\"",
        "<h1>",
        "lang=\"en\"",
        "role=\"status\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn the_same_report_is_the_same_page() {
    let r = example();
    assert_eq!(page(&r, &[]), page(&r, &[]));
    assert_eq!(r.run(&["check", "-f", "compact", "--output", "html=out.html"]).code, 1);
    let whole = r.read("out.html");
    std::fs::remove_file(r.path("out.html")).unwrap();
    assert_eq!(whole, page(&r, &[]));
}

#[test]
fn texts_of_files_are_no_markup() {
    let evil = "</script><img src=x onerror=alert(1)>`<b>`&quot;'";
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "{evil}", "Effect": "Allow", "Action": ["*", "{evil}:x"], "Resource": ["*", "{evil}"], "Condition": {{"StringEquals": {{"{evil}": "{evil}"}}}}}}]}}"#
    );
    let terraform = format!(
        "resource \"aws_iam_role\" \"{evil}\" {{\n  name = \"{evil}\"\n  assume_role_policy = jsonencode({{Statement = {{Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = \"*\"}}}})\n}}\nmodule \"{evil}\" {{\n  source = \"{evil}/x/aws\"\n}}\nresource {{"
    );
    let rule = format!(
        "id: \"acme/x\"\ntitle: \"{evil}\"\nseverity: high\nconfidence: high\nprofile: default\nsince: 0.1.0\nwhy: \"{evil}\"\ndo: \"{evil}\"\nmatch:\n  statement:\n    effect: allow\n    action: {{any: {{covers: \"*:*\"}}, as: act}}\nreport:\n  at: act\n  label: \"{evil}\"\n  message: \"{evil}\"\nexamples:\n  bad: []\n  good: []\n"
    );
    let r = Repository::new(&[
        ("a.json", &policy),
        ("main.tf", &terraform),
        ("rules/acme/x.yaml", &rule),
        ("overgrant.toml", "rule-dirs = [\"rules\"]\n"),
    ]);
    #[cfg(unix)]
    r.write("<img src=x>\".json", policy.as_bytes());
    let html = page(&r, &["--profile", "audit"]);
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"), "{html}");
    assert!(html.contains("acme/x"), "{html}");
    for markup in ["<img", "<b>`", "</script><"] {
        assert!(!html.contains(markup), "{markup}: {html}");
    }
    assert_eq!(html.matches("</script>").count(), 1);
}

#[test]
fn a_secret_is_masked_and_the_script_stays_whole() {
    let (id, secret) = key_pair();
    // A secret that is a part of the page itself.
    let text = format!(
        "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nAPI_PASSWORD='addEventListener(\"hashchange\"'\n"
    );
    let r = Repository::new(&[(".env", &text)]);
    let html = page(&r, &["--profile", "audit"]);
    assert!(!html.contains(&id) && !html.contains(&secret), "{html}");
    assert!(html.contains(&id[..4]), "{html}");
    let script = inside(&html, "script");
    assert!(script.contains("addEventListener(\"hashchange\""));
}

#[test]
fn a_page_is_not_clean_when_something_was_not_judged() {
    let clean = Repository::new(&[(
        "a.json",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}]}"#,
    )]);
    let html = page(&clean, &[]);
    assert!(html.contains("class=\"verdict good\">All clear"), "{html}");
    assert!(
        !html.contains("id=\"problems\"") && html.contains("There are no findings."),
        "{html}"
    );
    // Nothing is counted or listed that is not there.
    assert!(
        !html.contains("id=\"overview\"") && !html.contains("id=\"rules\""),
        "{html}"
    );
    let unknown = Repository::new(&[(
        "main.tf",
        "resource \"aws_iam_role_policy\" \"p\" {\n  role = \"r\"\n  policy = var.policy\n}\n",
    )]);
    let html = page(&unknown, &[]);
    let expected = unknown.run(&["check", "-f", "json"]);
    assert_eq!(expected.rules(), Vec::<String>::new());
    assert_eq!(html.matches("main.tf:3:").count(), expected.unjudged().len(), "{html}");
    for (r, heading) in [
        (unknown, "id=\"unjudged\""),
        (Repository::new(&[("a.tf", "resource {")]), "id=\"unread\""),
    ] {
        // Also where a summary is not asked for.
        for args in [&[][..], &["--no-summary", "--quiet"]] {
            let html = page(&r, args);
            assert!(!html.contains("verdict good"), "{html}");
            assert!(html.contains("id=\"problems\"") && html.contains(heading), "{html}");
        }
    }
    let nothing = page(&Repository::new(&[("a.txt", "")]), &[]);
    assert!(nothing.contains("class=\"verdict warn\">Nothing to check"), "{nothing}");
}

#[test]
fn suppressed_findings_are_shown_if_they_are_asked_for() {
    let r = Repository::new(&[
        (
            "a.json",
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
        ),
        (
            "overgrant.toml",
            "[[exception]]\nrule = \"admin-star-star\"\nreason = \"SEC-1 <x>\"\npath = \"a.json\"\n",
        ),
    ]);
    assert!(entries(&page(&r, &["--only", "admin-star-star"])).is_empty());
    let html = page(&r, &["--only", "admin-star-star", "--show-suppressed"]);
    let entry = entries(&html)[0];
    assert!(
        entry.contains(">ignored</span>") && entry.contains("SEC-1 &lt;x&gt;"),
        "{entry}"
    );
}
