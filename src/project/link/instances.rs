//! The code of an instance: what its user data starts.

use super::workloads::Linking;
use crate::formats::docker::{self, Runs};
use crate::model::Resource;
use crate::project::{CodePlace, ContentGap, Handler, WorkloadCode, user_data};
use crate::source::{Text, file_name};

impl Linking<'_, '_> {
    /// The only script of the repository that the user data starts with Python. Amazon EC2 User Guide, "Run commands when you launch
    /// an EC2 instance with user data input".
    pub(super) fn code_of_instance(&self, r: &Resource) -> Result<WorkloadCode, ContentGap> {
        let found = || {
            let script = user_data::of(r)?;
            let text = script.decoded().as_text().map(Text::display)?;
            let mut started: Vec<String> = Vec::new();
            for command in user_data::commands(&text) {
                if let Some(Runs::Script(path)) = docker::started_program(&command)
                    && !started.contains(&path)
                {
                    started.push(path);
                }
            }
            let [only] = started.as_slice() else { return None };
            // What the user data writes itself is not a file of the repository.
            let is_written = text.contains(&format!("> {only}")) || text.contains(&format!("tee {}", file_name(only)));
            let path = self.script_by_name(only).filter(|_| !is_written)?;
            let file = self.python_file(&path)?;
            Some(WorkloadCode {
                span: script.span,
                place: CodePlace::Paths(vec![path]),
                handler: Some(Handler { file, function: None }),
            })
        };
        found().ok_or(ContentGap::Instance)
    }
}
