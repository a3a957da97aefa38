//! Standard input and output as messages.

use std::io;

use rmcp::RoleServer;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{Stdin, Stdout};
use tokio::sync::watch;

use crate::discover::MAX_FILE_SIZE;

/// The longest message. It holds a text that is too large for `check`, which says so; longer messages are dropped.
const MAX_MESSAGE: usize = 4 * MAX_FILE_SIZE as usize;

pub(super) struct StdioTransport {
    messages: AsyncRwTransport<RoleServer, Stdin, Stdout>,
    /// Becomes true when the input ends. The protocol library waits five seconds for the calls that run then.
    ended: watch::Sender<bool>,
}

impl StdioTransport {
    pub(super) fn new(ended: watch::Sender<bool>) -> Self {
        let (input, output) = rmcp::transport::stdio();
        Self {
            messages: AsyncRwTransport::new(input, output).with_max_line_length(MAX_MESSAGE),
            ended,
        }
    }
}

impl Transport<RoleServer> for StdioTransport {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.messages.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let message = self.messages.receive().await;
        if message.is_none() {
            self.ended.send_replace(true);
        }
        message
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.messages.close().await
    }
}
