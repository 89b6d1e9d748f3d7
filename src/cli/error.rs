//! One error for the command line: what, where, how to mend it, and the exit code.

/// Messages are one line each; several input errors are several lines.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Bad usage or input: exit code 2.
    #[error("{0}")]
    Input(String),
    /// The cluster, the cloud or the disk failed: exit code 3.
    #[error("{0}")]
    Outside(String),
}

impl CliError {
    pub fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Outside(_) => 3,
        }
    }
}
