//! What can be wrong with a scenario.

/// Each message says where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    #[error("no scenario or file \"{name}\": name one of {known}, or a YAML file")]
    Unknown { name: String, known: String },
    #[error("{file}: cannot be read: {why}")]
    Unreadable { file: String, why: String },
    #[error("{file}: line {line}, column {column}: not valid YAML: {why}")]
    Yaml {
        file: String,
        line: u64,
        column: u64,
        why: String,
    },
    #[error("{file}: document {document} (line {line}), field {field}: {why}")]
    Field {
        file: String,
        /// From 1.
        document: usize,
        /// First line of the document.
        line: u64,
        /// Like `scenario.steps[2].scale.replicas`.
        field: String,
        why: String,
    },
    #[error("{file}: holds neither a manifest nor a scenario")]
    Empty { file: String },
}
