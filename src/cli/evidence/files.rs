//! Files of evidence that the settings name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::cli::CliFailure;
use crate::discover::{Discovery, InputFile, SourceTree};
use crate::evidence::{Evidence, EvidenceProblem};
use crate::project::{EvidenceFile, Project, ProjectEvidence};
use crate::settings::Governing;
use crate::source::{Problem, ProblemKind, Span};

/// Bytes of a file of evidence.
const MAX_EVIDENCE: u64 = 256 << 20;
/// Lines that cannot be read and are reported one by one.
const MAX_PROBLEMS: usize = 100;

/// What was read of them.
#[derive(Debug, Default)]
pub(in crate::cli) struct LoadedEvidence {
    files: Vec<Arc<EvidenceFile>>,
    /// Index into `files`, by index into [`Governing::all`].
    of_settings: BTreeMap<usize, usize>,
    /// The file, as shown, and what is wrong in it.
    problems: Vec<(String, EvidenceProblem)>,
}

impl LoadedEvidence {
    /// Reads each file once. One with lines that cannot be read becomes one of the files found.
    pub(in crate::cli) fn read(
        governing: &Governing<'_>,
        tree: &SourceTree,
        found: &mut Discovery,
    ) -> Result<Self, CliFailure> {
        let mut out = Self::default();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (settings, s) in governing.all().iter().enumerate() {
            let Some(path) = s.evidence.as_ref().map(|path| s.absolute(path)) else {
                continue;
            };
            if let Some(file) = known.get(&path) {
                out.of_settings.insert(settings, *file);
                continue;
            }
            let shown = governing.display_path(&path);
            let fails = |why: String| CliFailure::Usage(format!("cannot read the evidence in {shown}: {why}"));
            let text = tree
                .text(Path::new(&path), MAX_EVIDENCE)
                .map_err(|e| fails(e.to_string()))?;
            let (evidence, problems) = Evidence::parse(&text).map_err(|e| fails(e.to_string()))?;
            if !problems.is_empty() {
                found.files.retain(|f| f.path != shown);
                found.files.push(InputFile {
                    path: shown.clone(),
                    text: text.into(),
                    in_scope: true,
                });
            }
            let few = problems.into_iter().take(MAX_PROBLEMS);
            out.problems.extend(few.map(|problem| (shown.clone(), problem)));
            known.insert(path, out.files.len());
            out.of_settings.insert(settings, out.files.len());
            out.files.push(Arc::new(EvidenceFile { path: shown, evidence }));
        }
        Ok(out)
    }

    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Hands it to a project.
    pub(in crate::cli) fn apply(&self, project: &mut Project<'_>, governing: &Governing<'_>) {
        if self.is_empty() {
            return;
        }
        let sources = project.sources;
        let of = |path: &str| self.of_settings.get(&governing.index_of(path)).copied();
        project.evidence = ProjectEvidence {
            files: self.files.clone(),
            of: sources
                .ids()
                .filter_map(|id| Some((id, of(sources.path(id))?)))
                .collect(),
        };
        for (path, problem) in &self.problems {
            let Some(file) = sources.find(path) else { continue };
            let start = sources.file(file).lines().start_of(problem.line);
            let line = sources.text(file)[start..].lines().next().unwrap_or_default();
            let span = Span::new(file, start, start + line.len());
            project
                .problems
                .push(Problem::new(ProblemKind::Input, span, problem.message.clone()));
        }
    }
}
