//! `mcp`: the commands as tools of the Model Context Protocol, on standard input and output.
//!
//! **Invariant:** an answer is that of the command line, made by a process of its own, so that a canceled call stops; nothing
//! outside the served folder can be named; only `fix` writes, and only with `apply`.

mod answer;
mod folder;
mod tools;
mod transport;

use std::io;
use std::pin::{Pin, pin};
use std::process::{ExitCode, Stdio};

use clap::{Args, ValueHint};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest, CustomResult, ErrorCode,
    Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::{Semaphore, watch};

use self::answer::Finished;
use self::folder::ServedFolder;
use self::tools::{Invocation, ServedTool};
use self::transport::StdioTransport;
use super::{CliFailure, run};

/// Commands that run at the same time.
const MAX_RUNNING: usize = 4;

/// How an agent uses the tools.
const INSTRUCTIONS: &str = "Finds IAM in the files of this repository and says what it grants. To write a policy: call `needs` on the \
    code, with `policy` for the policy itself, write only those actions and resources, call `check` on the file, or with `text` \
    before it is written, then `diff` against the revision before, and `explain` for a finding that is not clear. `can` and \
    `who_can` answer whether, and who; `paths` lists who can become an administrator. What is listed under `unjudged` was not \
    judged: it is not known to be safe. `fix` writes only with `apply`.";

/// Serve the commands as tools for agents (Model Context Protocol, on standard input and output)
#[derive(Debug, Args)]
pub(super) struct McpArgs {
    /// Answer only about files in this folder
    #[arg(long, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    root: std::path::PathBuf,
}

impl McpArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let cwd = run::working_directory()?;
        let folder =
            ServedFolder::new(&std::path::Path::new(&cwd).join(&self.root)).map_err(|source| CliFailure::Io {
                what: format!("cannot serve {}", crate::discover::with_forward_slashes(&self.root)),
                source,
            })?;
        let failed = |what: &str| {
            let what = what.to_owned();
            move |source| CliFailure::Io { what, source }
        };
        let program = std::env::current_exe().map_err(failed("cannot find this program"))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed("cannot start the server"))?;
        let (ended, input_ended) = watch::channel(false);
        let server = McpServer {
            folder,
            program,
            running: Semaphore::new(MAX_RUNNING),
            input_ended,
        };
        runtime.block_on(async {
            // A client that goes away before it said hello is no failure.
            if let Ok(service) = server.serve(StdioTransport::new(ended)).await {
                let _ = service.waiting().await;
            }
        });
        // The thread that reads the input is not waited for.
        runtime.shutdown_background();
        Ok(ExitCode::SUCCESS)
    }
}

struct McpServer {
    folder: ServedFolder,
    /// This program.
    program: std::path::PathBuf,
    running: Semaphore,
    /// Whether the client has closed its side: no answer is waited for.
    input_ended: watch::Receiver<bool>,
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("overgrant", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(
            ServedTool::ALL.iter().map(ServedTool::definition).collect(),
        ))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        ServedTool::named(name).map(ServedTool::definition)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = ServedTool::named(&request.name) else {
            return Err(ErrorData::invalid_params(format!("no tool `{}`", request.name), None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let called = match tool.plan(arguments, &self.folder) {
            Ok(called) => called,
            // An agent reads the result of a call, and can call again.
            Err(wrong) => return Ok(CallToolResult::error(vec![ContentBlock::text(wrong)]).into()),
        };
        let mut input_ended = self.input_ended.clone();
        let mut stopped = pin!(async {
            tokio::select! {
                () = context.ct.cancelled() => {}
                _ = input_ended.wait_for(|has_ended| *has_ended) => {}
            }
        });
        let mut finished = Vec::new();
        for invocation in &called.runs {
            match self.finish(invocation, stopped.as_mut()).await {
                Ok(Some(ran)) => finished.push(ran),
                Ok(None) => return Err(ErrorData::internal_error("the call was canceled", None)),
                Err(failed) => {
                    let text = format!("overgrant did not run: {failed}");
                    return Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into());
                }
            }
        }
        Ok(answer::answer(&called, &finished).into())
    }

    /// A request that has none of the known forms.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(match &*request.method {
            "tools/call" => ErrorData::invalid_params(
                "`tools/call` needs the `name` of a tool, and its `arguments` as an object",
                None,
            ),
            method => ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method.to_owned(), None),
        })
    }
}

impl McpServer {
    /// Runs a command to its end; `None` if it was `stopped` before.
    async fn finish(
        &self,
        invocation: &Invocation,
        mut stopped: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<Option<Finished>> {
        let _permit = tokio::select! {
            () = stopped.as_mut() => return Ok(None),
            permit = self.running.acquire() => permit.map_err(io::Error::other)?,
        };
        let mut command = Command::new(&self.program);
        command
            .args(&invocation.args)
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .env_remove("OVERGRANT_FORMAT")
            .env_remove("GITHUB_ACTIONS")
            .env_remove("FORCE_HYPERLINK")
            .stdin(match invocation.stdin {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let given = child.stdin.take().zip(invocation.stdin.as_ref());
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some((mut stdin, text)) = given {
                // A command that does not want all of it says why itself.
                let _ = stdin.write_all(text.as_bytes()).await;
            }
        };
        let ran = tokio::select! {
            ran = async { tokio::join!(write, text_of(out), text_of(err), child.wait()) } => Some(ran),
            () = stopped => None,
        };
        let Some(((), out, err, status)) = ran else {
            // Waits, so that no zombie stays.
            child.kill().await?;
            return Ok(None);
        };
        Ok(Some(Finished {
            code: status?.code(),
            out: out?,
            err: err?,
        }))
    }
}

/// All that a command writes.
async fn text_of(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
