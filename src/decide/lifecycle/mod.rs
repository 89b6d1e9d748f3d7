//! NodeClaims from creation to deletion (`lifecycle.md`).
