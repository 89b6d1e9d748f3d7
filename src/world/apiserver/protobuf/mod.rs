//! Bodies that kubectl sends as protobuf (`kube-wire §14`): `create deployment`, `autoscale`, `auth can-i` and other
//! commands that use compiled-in types. The messages' field numbers are data (`assets/facts`), one table drives the
//! decoder, and what comes out is the JSON that the rest of the server works on. Nothing is ever answered in it.

mod decode;
mod message;
mod reader;
#[cfg(test)]
mod tests;

pub use decode::{ProtobufError, decode};
