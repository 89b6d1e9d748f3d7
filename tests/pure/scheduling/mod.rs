//! The acceptance checklist (`scheduling §29`, items) and the tricky cases (`scheduling §30`), by number.
//!
//! A test that settles a number has it in its name: `case_47_…`, `item_20_…`, `cases_61_to_63_…`, `case_122_124_…`. Those
//! that a unit test settles are beside what they test, in `src/decide/scheduling` (mostly its `tests` folder),
//! `src/decide/packing` and `src/observe`; the others are here, as Kubernetes objects in and plans out, every plan looked
//! at by the independent checker. What cannot be a test has its reason in [`numbers`], which also fails when a number is
//! without either.

mod affinity;
mod algebra;
mod checklist;
mod nodes;
mod numbers;
mod overlooked;
mod passes;
mod pods;
mod pools;
mod spread;
mod types;
mod volumes;
mod words;
