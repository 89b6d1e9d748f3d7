use super::*;
use crate::clock::Clock;
use crate::cloud::aws::api::{
    CreateLaunchTemplate, Ec2Read, Ec2Write, Filter, FleetConfig, LaunchTemplateData,
};
use crate::world::ec2::Ec2Config;

async fn account() -> Ec2 {
    let clock = Clock::starting_at("2026-01-05T09:00:00Z".parse().expect("time"));
    let mut config = Ec2Config::new(7, clock, "demo");
    config.interruptions = 0.0;
    let ec2 = Ec2::new(config).expect("ec2");
    let request = CreateLaunchTemplate {
        launch_template_name: "t".into(),
        data: LaunchTemplateData::default(),
        tag_specifications: Vec::new(),
    };
    ec2.create_launch_template(request).await.expect("template");
    ec2
}

/// A request for these (type, zone letter, priority in cents).
async fn request(
    ec2: &Ec2,
    token: &str,
    market: &str,
    strategy: &str,
    pools: &[(&str, &str, i64)],
) -> CreateFleet {
    let subnets = ec2.describe_subnets(Vec::new()).await.expect("subnets");
    let images = ec2
        .describe_images(Vec::new(), vec![Filter::new("name", ["*al2023*standard*"])])
        .await
        .expect("images");
    let overrides = pools
        .iter()
        .map(|(name, letter, cents)| {
            let zone: Name = format!("us-east-1{letter}").into();
            let arm = facts::get().find(name).is_some_and(|t| &*t.arch[0] == "arm64");
            let arch = if arm { "arm64" } else { "x86_64" };
            let subnet = subnets
                .iter()
                .find(|s| s.availability_zone == zone)
                .expect("subnet");
            let image = images.iter().find(|i| &*i.architecture == arch).expect("image");
            FleetOverride {
                instance_type: (*name).into(),
                subnet_id: subnet.subnet_id.clone(),
                availability_zone: zone,
                image_id: image.image_id.clone(),
                priority: UsdPerHour(cents * 10_000_000_000),
            }
        })
        .collect();
    CreateFleet {
        client_token: token.into(),
        total_target_capacity: 1,
        default_target_capacity_type: market.into(),
        spot_allocation_strategy: Some(strategy.into()),
        on_demand_allocation_strategy: Some(strategy.into()),
        reservation_types: Vec::new(),
        context: None,
        launch_template_configs: vec![FleetConfig {
            launch_template_name: "t".into(),
            overrides,
        }],
        tag_specifications: Vec::new(),
    }
}

async fn chosen(ec2: &Ec2, request: CreateFleet) -> FleetResult {
    ec2.create_fleet(request).await.expect("fleet")
}

fn types(result: &FleetResult) -> Vec<&str> {
    result
        .instances
        .iter()
        .map(|i| &*i.chosen.instance_type)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn strategies_choose_as_they_say() {
    let ec2 = account().await;
    // 0.096, 0.085 and 0.126 dollars an hour.
    let pools = [("m5.large", "a", 1), ("c5.large", "a", 2), ("r5.large", "a", 3)];
    let cheap = request(&ec2, "1", "on-demand", "lowest-price", &pools).await;
    assert_eq!(types(&chosen(&ec2, cheap).await), ["c5.large"]);
    let wanted = request(&ec2, "2", "on-demand", "prioritized", &pools).await;
    assert_eq!(types(&chosen(&ec2, wanted).await), ["m5.large"]);
    let t = |name| facts::get().find(name).expect("type");
    let deepest = pools
        .iter()
        .max_by_key(|(n, _, _)| spot::depth(7, t(n), "us-east-1", "us-east-1a"))
        .expect("pool");
    for (token, strategy) in [
        ("3", "price-capacity-optimized"),
        ("4", "capacity-optimized-prioritized"),
    ] {
        // Of three pools the deepest third is one.
        let deep = request(&ec2, token, "spot", strategy, &pools).await;
        assert_eq!(types(&chosen(&ec2, deep).await), [deepest.0], "{strategy}");
    }
}

#[tokio::test(start_paused = true)]
async fn failed_pools_are_told_and_the_rest_is_fulfilled() {
    let ec2 = account().await;
    let until = "2026-02-01T00:00:00Z".parse().expect("time");
    ec2.make_ice("c5.large", "us-east-1a", CapacityType::OnDemand, until);
    // mac1.metal is not sold in zone a, and m6g.large does not boot x86.
    let pools = [("c5.large", "a", 1), ("m5.large", "a", 1), ("mac1.metal", "a", 1)];
    let mut wanted = request(&ec2, "1", "on-demand", "lowest-price", &pools).await;
    wanted.total_target_capacity = 2;
    let mut arm = wanted.launch_template_configs[0].overrides[0].clone();
    arm.instance_type = "m6g.large".into();
    wanted.launch_template_configs[0].overrides.push(arm);
    let result = chosen(&ec2, wanted).await;
    assert_eq!(types(&result), ["m5.large", "m5.large"]);
    let mut codes: Vec<(&str, &str)> = result
        .errors
        .iter()
        .map(|e| {
            (
                &*e.tried.as_ref().expect("override").instance_type,
                &*e.error_code,
            )
        })
        .collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            ("c5.large", "InsufficientInstanceCapacity"),
            ("m6g.large", "InvalidParameterValue"),
            ("mac1.metal", "Unsupported")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_good_for_one_request() {
    let ec2 = account().await;
    let pools = [("m5.large", "a", 1)];
    let once = request(&ec2, "1", "on-demand", "lowest-price", &pools).await;
    let first = chosen(&ec2, once.clone()).await;
    assert_eq!(chosen(&ec2, once).await.instances, first.instances);
    let other = request(&ec2, "1", "on-demand", "lowest-price", &[("c5.large", "a", 1)]).await;
    let refused = ec2.create_fleet(other).await.expect_err("refused");
    assert_eq!(&*refused.code, "IdempotentParameterMismatch");
    assert_eq!(ec2.instances().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn spot_pools_run_dry_and_fill_again() {
    let ec2 = account().await;
    let t = facts::get().find("m5.large").expect("type");
    let depth = spot::depth(7, t, "us-east-1", "us-east-1a");
    let pools = [("m5.large", "a", 1)];
    let mut all = request(&ec2, "1", "spot", "lowest-price", &pools).await;
    all.total_target_capacity = u32::try_from(depth).expect("depth") + 5;
    let result = chosen(&ec2, all).await;
    assert_eq!(i64::try_from(result.instances.len()), Ok(depth));
    assert_eq!(&*result.errors[0].error_code, "InsufficientInstanceCapacity");
    let more = request(&ec2, "2", "spot", "lowest-price", &pools).await;
    assert!(chosen(&ec2, more.clone()).await.instances.is_empty());
    ec2.terminate_instance(result.instances[0].instance_ids[0].clone())
        .await
        .expect("ended");
    assert_eq!(chosen(&ec2, more).await.instances.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_missing_template_fails_the_call() {
    let ec2 = account().await;
    let wanted = request(&ec2, "1", "spot", "lowest-price", &[("m5.large", "a", 1)]).await;
    ec2.delete_launch_template("t".into()).await.expect("deleted");
    let refused = ec2.create_fleet(wanted).await.expect_err("refused");
    assert_eq!(&*refused.code, "InvalidLaunchTemplateName.NotFoundException");
}
