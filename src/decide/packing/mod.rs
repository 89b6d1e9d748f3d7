//! Ways to pack pods onto nodes. [`karpenter`] is the reference: one pod at a time, first fit. [`cheapest`] looks for
//! a plan that costs less, [`bound`] proves how little any plan can cost; both see pods and types as a [`market`].

pub mod bound;
pub mod cheapest;
pub mod karpenter;
pub mod market;
pub mod pattern_sort;
