//! Taking nodes away (`disruption.md`).
