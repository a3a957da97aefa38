use overgrant::source::*; use overgrant::*;
fn main(){ let root=std::env::args().nth(1).unwrap();
 let mut v=vec![]; for e in walkdir::WalkDir::new(&root).into_iter().flatten(){ if e.file_type().is_file(){ if let Ok(t)=std::fs::read_to_string(e.path()){ v.push((e.path().display().to_string(), std::sync::Arc::from(t), true)); } } }
 let s=Sources::new(v); let own=iam::Own::default();
 for id in s.ids(){ let p=s.path(id); if !(p.ends_with(".json")||p.ends_with(".yaml")||p.ends_with(".yml")||p.ends_with(".template")) {continue;} let k=classify::classify(p,s.text(id));
   let t = if s.text(id).trim_start().starts_with(['{','[']) {syntax::json::parse(id,s.text(id))} else {syntax::yaml::parse(id,s.text(id))};
   for pr in t.problems.iter().take(3){ let (a,_)=s.positions(pr.span); println!("PARSE {p}:{}:{} {:?} {} | {}", a.line,a.column,k.policy||k.cloudformation,pr.message, s.slice(pr.span).chars().take(60).collect::<String>()); } }
 let a=analyse(&s,&own); println!("docs {} res {} problems {}", a.project.documents.len(), a.project.resources.len(), a.project.problems.len());
 for d in &a.project.documents { if d.format==iam::Format::Json { println!("DOC {} {} {:?} {}", s.path(d.span.file), d.kind.name(), d.owner.as_ref().map(|o|&*o.address), d.statements.len()); } }
 for pr in &a.project.problems { let (x,_)=s.positions(pr.span); println!("PROBLEM {:?} {}:{}:{} {}", pr.kind, s.path(pr.span.file), x.line,x.column, pr.message); }
}
