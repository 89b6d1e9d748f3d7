//! What refusals of EC2 mean (`aws §11`).

use jiff::Timestamp;

use crate::cloud::aws::api::{Ec2Error, FleetError, FleetOverride};
use crate::cloud::port::CloudError;
use crate::cloud::stock::{Mark, Stock};
use crate::model::{CapacityType, Name};

/// Codes of a pool that has nothing for us.
const UNFULFILLABLE: [&str; 7] = [
    "InsufficientInstanceCapacity",
    "UnfulfillableCapacity",
    "Unsupported",
    "MaxSpotInstanceCountExceeded",
    "VcpuLimitExceeded",
    "MaxFleetCountExceeded",
    "InsufficientFreeAddressesInSubnet",
];
/// A reservation that has nothing left.
const RESERVATION_EMPTY: &str = "ReservationCapacityExceeded";
const NO_SPOT_ROLE: &str = "AuthFailure.ServiceLinkedRoleCreationNotPermitted";

/// The pool is out, not the request wrong.
pub fn is_unfulfillable(code: &str) -> bool {
    code == RESERVATION_EMPTY || UNFULFILLABLE.contains(&code)
}

/// Remembers what a fleet could not give, whether or not it gave something else. `reservation` names the one that an
/// override was to take its instance from: it is empty then, and what is sold beside it is not touched.
pub fn remember(
    errors: &[FleetError],
    market: CapacityType,
    reservation: impl Fn(&FleetOverride) -> Option<Name>,
    stock: &Stock,
    now: Timestamp,
) {
    for error in errors {
        let code = &*error.error_code;
        if code == NO_SPOT_ROLE {
            stock.mark(Mark::CapacityType(CapacityType::Spot), now);
        }
        let Some(tried) = &error.tried else {
            continue;
        };
        if let Some(id) = reservation(tried) {
            if is_unfulfillable(code) {
                stock.reservation_exhausted(&id, now);
            }
        } else if is_unfulfillable(code) {
            stock.mark_offering(&tried.instance_type, &tried.availability_zone, market, now);
        }
        if code == "InsufficientFreeAddressesInSubnet" {
            stock.exhausted(&tried.subnet_id, now);
        }
    }
}

/// A fleet that gave no instance: insufficient capacity when every pool was out, else a launch error that may
/// pass.
pub fn of_fleet(errors: &[FleetError]) -> CloudError {
    let text = |e: &FleetError| match &e.tried {
        Some(t) => format!(
            "{}/{}: {}: {}",
            t.instance_type, t.availability_zone, e.error_code, e.error_message
        ),
        None => format!("{}: {}", e.error_code, e.error_message),
    };
    let other = errors
        .iter()
        .find(|e| !is_unfulfillable(&e.error_code) && &*e.error_code != NO_SPOT_ROLE);
    match (other, errors) {
        (Some(other), _) => CloudError::Launch {
            reason: reason(&other.error_code, &other.error_message),
            message: text(other),
        },
        (None, []) => CloudError::Launch {
            reason: "LaunchFailed".into(),
            message: "too few instances returned".to_owned(),
        },
        (None, [only]) => CloudError::InsufficientCapacity(text(only)),
        (None, [first, rest @ ..]) => {
            CloudError::InsufficientCapacity(format!("{} and {} more", text(first), rest.len()))
        }
    }
}

/// A call that was refused as a whole.
pub fn of_request(call: &str, error: &Ec2Error) -> CloudError {
    CloudError::Launch {
        reason: reason(&error.code, &error.message),
        message: format!("{call}: {error}"),
    }
}

/// The reason of the `Launched` condition: first match wins.
pub fn reason(code: &str, message: &str) -> Name {
    let says = |text: &str| message.contains(text);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| code.starts_with(p));
    let reason = match code {
        NO_SPOT_ROLE => "SpotSLRCreationFailed",
        _ if says("Not authorized for images") => "AMIAuthorizationFailure",
        _ if starts(&["Unauthorized", "AccessDenied", "AuthFailure"]) => "Unauthorized",
        _ if says("Security group") && says("subnet") && says("different networks") => {
            "SecurityGroupSubnetVPCMismatch"
        }
        _ if says("iamInstanceProfile.name is invalid") || says("Invalid IAM Instance Profile name") => {
            "InstanceProfileNameInvalid"
        }
        _ if starts(&[
            "InvalidLaunchTemplateName.NotFound",
            "InvalidLaunchTemplateId.NotFound",
        ]) =>
        {
            "LaunchTemplateNotFound"
        }
        _ if says("User data is limited to 16384 bytes") => "UserDataSizeLimitExceeded",
        "InvalidAMIID.Malformed" => "InvalidAMIID",
        _ if starts(&["InvalidAMIID"]) => "AMINotFound",
        "RequestLimitExceeded" => "RequestLimitExceeded",
        "InternalError" | "InternalFailure" => "InternalError",
        "FreeTierRestrictionError" => "FreeTierIneligible",
        "MaxFleetCountExceeded" => "FleetQuotaExceeded",
        "PendingVerification" => "AccountPendingVerification",
        "MaxSpotInstanceCountExceeded" => "SpotQuotaExceeded",
        "VcpuLimitExceeded" => "VCPULimitExceeded",
        "InsufficientFreeAddressesInSubnet" => "InsufficientFreeAddressesInSubnet",
        _ => "LaunchFailed",
    };
    reason.into()
}

/// One line for each pool that failed, for the record of a launch.
pub fn lines(errors: &[FleetError], market: CapacityType) -> Vec<String> {
    let mut out: Vec<String> = errors
        .iter()
        .map(|e| match &e.tried {
            Some(t) => format!(
                "{}/{}/{}: {}",
                t.instance_type,
                t.availability_zone,
                market.as_str(),
                e.error_code
            ),
            None => format!("fleet: {}", e.error_code),
        })
        .collect();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::stock::Unavailable;
    use crate::model::UsdPerHour;

    fn failed(code: &str) -> FleetError {
        FleetError {
            error_code: code.into(),
            error_message: "no".into(),
            lifecycle: "spot".into(),
            tried: Some(FleetOverride {
                instance_type: "m5.large".into(),
                subnet_id: "subnet-1".into(),
                availability_zone: "us-east-1a".into(),
                image_id: "ami-1".into(),
                priority: UsdPerHour::ZERO,
            }),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_767_600_000).expect("time")
    }

    /// `aws §26` cases 72 and 75.
    #[test]
    fn cases_72_and_75_only_full_pools_are_insufficient_capacity() {
        assert!(matches!(
            of_fleet(&[
                failed("InsufficientInstanceCapacity"),
                failed("MaxFleetCountExceeded")
            ]),
            CloudError::InsufficientCapacity(_)
        ));
        let mixed = of_fleet(&[
            failed("InsufficientInstanceCapacity"),
            failed("RequestLimitExceeded"),
        ]);
        let CloudError::Launch { reason, .. } = mixed else {
            panic!("{mixed:?}");
        };
        assert_eq!(&*reason, "RequestLimitExceeded");
    }

    /// `aws §26` case 74.
    #[test]
    fn case_74_no_spot_role_takes_spot_away_everywhere() {
        let stock = Stock::default();
        let errors = [failed("AuthFailure.ServiceLinkedRoleCreationNotPermitted")];
        remember(&errors, CapacityType::Spot, |_| None, &stock, now());
        assert!(matches!(of_fleet(&errors), CloudError::InsufficientCapacity(_)));
        let out = Unavailable::at(&stock, now());
        let has = |market| out.has(&"c5.large".into(), &"us-east-1b".into(), market, &[]);
        assert!(has(CapacityType::Spot));
        assert!(!has(CapacityType::OnDemand));
    }

    /// `aws §26` case 76.
    #[test]
    fn case_76_a_reserved_launch_empties_its_reservation_alone() {
        let stock = Stock::default();
        let id = Name::from("cr-1");
        stock.reservation_described(&id, 3, now());
        let of = |_: &FleetOverride| Some(Name::from("cr-1"));
        remember(
            &[failed("RequestLimitExceeded")],
            CapacityType::Reserved,
            of,
            &stock,
            now(),
        );
        assert_eq!(Unavailable::at(&stock, now()).reserved("cr-1"), Some(3));
        let full = [failed("ReservationCapacityExceeded")];
        remember(&full, CapacityType::Reserved, of, &stock, now());
        assert_eq!(Unavailable::at(&stock, now()).reserved("cr-1"), Some(0));
        assert!(
            stock.marks(now()).is_empty(),
            "what is sold beside it is untouched"
        );
        assert!(matches!(of_fleet(&full), CloudError::InsufficientCapacity(_)));
    }

    #[test]
    fn throttling_marks_nothing_and_full_subnets_mark_two_things() {
        let stock = Stock::default();
        remember(
            &[failed("RequestLimitExceeded")],
            CapacityType::Spot,
            |_| None,
            &stock,
            now(),
        );
        assert!(stock.marks(now()).is_empty());
        remember(
            &[failed("InsufficientFreeAddressesInSubnet")],
            CapacityType::Spot,
            |_| None,
            &stock,
            now(),
        );
        assert_eq!(stock.marks(now()).len(), 2);
        assert_eq!(stock.free("subnet-1"), Some(0));
    }
}
