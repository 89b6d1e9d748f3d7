//! Ways to pack pods onto nodes. [`karpenter`] is the reference: one pod at a time, first fit.

pub mod karpenter;
pub mod pattern_sort;
