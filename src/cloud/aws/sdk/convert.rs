//! Small translations between the SDK's words and the port's.

use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types;
use jiff::Timestamp;

use crate::cloud::aws::api::{Filter, TagSpecification, Tags};
use crate::model::Name;

/// Absent is empty, as the port has it.
pub(super) fn name(text: Option<String>) -> Name {
    text.unwrap_or_default().into()
}

pub(super) fn strings<'a>(names: impl IntoIterator<Item = &'a Name>) -> Vec<String> {
    names.into_iter().map(ToString::to_string).collect()
}

/// Empty is absent, as the wire has it.
pub(super) fn text(name: &Name) -> Option<String> {
    (!name.is_empty()).then(|| name.to_string())
}

/// Counts on the wire have 32 bits.
pub(super) fn count(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

pub(super) fn tags(tags: Option<Vec<types::Tag>>) -> Tags {
    tags.unwrap_or_default()
        .into_iter()
        .filter_map(|tag| Some((tag.key?.into(), name(tag.value))))
        .collect()
}

pub(super) fn sdk_tags(tags: &Tags) -> Vec<types::Tag> {
    tags.iter()
        .map(|(key, value)| types::Tag::builder().key(&**key).value(&**value).build())
        .collect()
}

pub(super) fn tag_specification(wanted: &TagSpecification) -> types::TagSpecification {
    types::TagSpecification::builder()
        .resource_type((&*wanted.resource_type).into())
        .set_tags(Some(sdk_tags(&wanted.tags)))
        .build()
}

/// No filter is absent: an empty list is refused by some calls.
pub(super) fn filters(filters: &[Filter]) -> Option<Vec<types::Filter>> {
    let all: Vec<types::Filter> = filters
        .iter()
        .map(|f| {
            types::Filter::builder()
                .name(&*f.name)
                .set_values(Some(strings(&f.values)))
                .build()
        })
        .collect();
    (!all.is_empty()).then_some(all)
}

/// Out of jiff's range is the epoch; EC2 has no such times.
pub(super) fn time(at: &DateTime) -> Timestamp {
    let nanos = i32::try_from(at.subsec_nanos()).unwrap_or(0);
    Timestamp::new(at.secs(), nanos).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn sdk_time(at: Timestamp) -> DateTime {
    DateTime::from_secs(at.as_second())
}

/// A time that EC2 writes as text, like `2026-09-30T00:00:00.000Z`.
pub(super) fn written_time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}
