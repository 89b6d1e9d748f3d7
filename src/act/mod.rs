//! Carries warranted effects out against Kubernetes and the cloud; idempotent and resumable.
