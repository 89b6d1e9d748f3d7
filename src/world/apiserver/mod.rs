//! The embedded Kubernetes API (`kube-wire.md`).
