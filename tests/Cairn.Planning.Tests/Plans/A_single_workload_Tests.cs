using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Plans;

public sealed class A_single_workload_Tests
{
    [Fact]
    public void Costs_its_hours_at_the_machine_price()
    {
        var candidate = Assert.Single(Workload().Plan(Offer()).Candidates);
        Assert.Equal(Usd(550.40m), candidate.Total);
        Assert.Equal(Usd(550.40m), candidate.Amount(CostKind.Compute));
        Assert.Equal("1 × 10 h at $55.04/h", Assert.Single(candidate.Items).Detail);
        Assert.Equal(8, candidate.AcceleratorsPerMachine);
        Assert.Equal(36000, candidate.ExpectedSeconds);
    }

    [Fact]
    public void Goes_to_the_cheapest_whole_bill_and_not_to_the_cheapest_hour()
    {
        var dearData = Offer("Cheap", price: 50) with { Egress = new EgressPrices { Internet = [new(null, Usd(0.1m))] } };
        var workload = Workload() with { Outputs = [new DataSpec { Name = "weights", SizeBytes = 1000 * GB }] };
        var plan = workload.Plan(dearData, Offer());
        Assert.Equal(["AWS", "Cheap"], plan.Candidates.Select(c => c.Offer.Provider));
        Assert.Equal(Usd(100), plan.Candidates[1].Amount(CostKind.OutputTransfer));
    }

    [Fact]
    public void Tries_every_instance_type_and_not_only_the_cheapest_of_a_provider()
    {
        var plan = Workload().Plan(Offer(), Offer(type: "p5e", price: 60), Offer(type: "p5en", price: 70), Offer(region: "eu-west-1", price: 57));
        Assert.Equal(4, plan.Candidates.Count);
    }

    [Fact]
    public void Ten_accelerators_in_one_node_do_not_fit_a_machine_of_eight()
    {
        var plan = Workload(accelerators: 10).Plan(Offer());
        Assert.Equal([ReasonCodes.AcceleratorCount], plan.Codes());
        Assert.Equal("needs 10 accelerators in one machine, has 8", plan.Rejected[0].Reasons[0].Message);
    }

    [Fact]
    public void Pays_a_whole_machine_unless_the_offer_is_divisible()
    {
        var whole = Workload(accelerators: 2, hours: 1).Plan(Offer()).Candidates[0];
        var part = Workload(accelerators: 2, hours: 1).Plan(Offer() with { Divisible = true }).Candidates[0];
        Assert.Equal(Usd(55.04m), whole.Total);
        Assert.Equal(Usd(13.76m), part.Total);
        Assert.Equal(2, part.AcceleratorsPerMachine);
    }

    [Fact]
    public void Takes_as_many_parts_of_a_divisible_machine_as_its_memory_needs()
    {
        var workload = Workload(accelerators: 1, hours: 1);
        workload = workload with { Resources = workload.Resources with { MemoryBytes = new(600 * GB, null) } };
        Assert.Equal(Usd(55.04m * 3 / 8), workload.Plan(Offer() with { Divisible = true }).Candidates[0].Total);
    }

    [Fact]
    public void A_share_of_an_accelerator_rents_one_of_a_divisible_machine()
    {
        var candidate = Workload(accelerators: 0.5, hours: 1).Plan(Offer() with { Divisible = true }).Candidates[0];
        Assert.Equal(Usd(6.88m), candidate.Total);
        Assert.Equal(0.5, candidate.AcceleratorsPerMachine);
    }

    [Fact]
    public void Spot_is_tried_only_by_leave_and_on_demand_stays_beside_it()
    {
        var offer = Offer() with { Spot = HourlyPrice.FromUsd(20), InterruptionsPerHour = 0.01 };
        Assert.Equal([PriceModel.OnDemand], Workload().Plan(offer).Candidates.Select(c => c.PriceModel));
        var interruptible = Workload() with { Where = new WhereSpec { Interruptible = true } };
        Assert.Equal([PriceModel.Spot, PriceModel.OnDemand], interruptible.Plan(offer).Candidates.Select(c => c.PriceModel));
    }

    [Fact]
    public void A_reservation_is_tried_only_where_the_work_fills_its_term_and_is_paid_by_whole_terms()
    {
        var offer = Offer() with { Reserved = HourlyPrice.FromUsd(20), ReservedTermSeconds = 10 * 3600 };
        Assert.Equal([PriceModel.OnDemand], Workload(hours: 9).Plan(offer).Candidates.Select(c => c.PriceModel));
        var candidate = Workload(hours: 15).Plan(offer).Candidates[0];
        Assert.Equal(PriceModel.Reserved, candidate.PriceModel);
        Assert.Equal(Usd(400), candidate.Total);
        Assert.Equal(Usd(100), candidate.Amount(CostKind.BillingMinimum));
    }

    [Fact]
    public void Time_is_rounded_up_to_the_increment_and_the_minimum()
    {
        var byTheHour = Offer() with { BillingIncrementSeconds = 3600, BillingMinimumSeconds = 2 * 3600 };
        var workload = Workload() with { Money = new MoneySpec { ExpectedDurationSeconds = 600 } };
        Assert.Equal(Usd(110.08m), workload.Plan(byTheHour).Candidates[0].Total);
        workload = Workload() with { Money = new MoneySpec { ExpectedDurationSeconds = 2 * 3600 + 1 } };
        Assert.Equal(Usd(165.12m), workload.Plan(byTheHour).Candidates[0].Total);
    }

    [Fact]
    public void Boot_costs_where_it_is_billed_and_takes_time_everywhere()
    {
        var slow = Offer() with { BootSeconds = 1800 };
        Assert.Equal(Usd(550.40m), Workload().Plan(slow).Candidates[0].Total);
        Assert.Equal(36000 + 1800, Workload().Plan(slow).Candidates[0].ExpectedSeconds);
        Assert.Equal(Usd(27.52m), Workload().Plan(slow with { BootBilled = true }).Candidates[0].Amount(CostKind.Boot));
    }

    [Fact]
    public void Disk_beyond_what_the_rent_includes_is_paid_by_the_month()
    {
        var workload = Workload(hours: 73);
        workload = workload with { Nodes = 2, Resources = workload.Resources with { DiskBytes = 1500 * GB } };
        var sold = workload.Plan(Offer() with { StoragePerGigabyteMonth = Usd(0.08m) }).Candidates[0];
        Assert.Equal(Usd(2 * 500 * 0.08m / 10), sold.Amount(CostKind.Disk));
        Assert.Equal([ReasonCodes.Disk], workload.Plan(Offer()).Codes());
    }

    [Fact]
    public void Checkpoints_are_stored_once_for_the_gang()
    {
        var workload = Workload(hours: 730) with
        {
            Nodes = 4, Checkpoints = new CheckpointSpec { Path = "ckpt", SizeBytes = 500 * GB },
        };
        var candidate = workload.Plan(Offer() with { StoragePerGigabyteMonth = Usd(0.1m) }).Candidates[0];
        Assert.Equal(Usd(50), candidate.Amount(CostKind.CheckpointStorage));
    }

    [Fact]
    public void A_service_pays_for_its_idle_share_and_one_that_scales_to_nothing_does_not()
    {
        var workload = Workload(hours: 100) with { Service = new ServiceSpec { Port = 80, MinReplicas = 2, MaxReplicas = 4, Utilization = 0.25 } };
        var candidate = workload.Plan(Offer(price: 8)).Candidates[0];
        Assert.Equal((Usd(1600), Usd(400), Usd(1200)), (candidate.Total, candidate.Amount(CostKind.Compute), candidate.Amount(CostKind.Idle)));
        Assert.Equal(2, candidate.Machines);
        workload = workload with { Service = workload.Service with { MinReplicas = 0 } };
        candidate = workload.Plan(Offer(price: 8)).Candidates[0];
        Assert.Equal((Usd(200), Money.Zero), (candidate.Total, candidate.Amount(CostKind.Idle)));
    }

    [Fact]
    public void Nodes_pay_for_what_they_send_each_other_at_both_ends()
    {
        var workload = Workload(hours: 10) with { Nodes = 2, NodeTrafficBytesPerHour = 100 * GB };
        var candidate = workload.Plan(Offer() with { Egress = new EgressPrices { InRegionPerGigabyte = Usd(0.01m) } }).Candidates[0];
        Assert.Equal(Usd(2 * 100 * 10 * 2 * 0.01m), candidate.Amount(CostKind.NodeTraffic));
    }

    [Fact]
    public void A_fee_is_a_share_of_the_price_of_machines_of_those_it_names()
    {
        var context = new PlanningContext { Fees = [new FeeRule(250, "market fee", DeploymentModel.Decentralized)] };
        var offers = OfferSnapshot.Compile([Offer(), Offer("Pool", price: 10) with { DeploymentModel = DeploymentModel.Decentralized }]);
        var plan = Planner.Plan(Workload(), offers, context);
        Assert.Equal(Usd(2.50m), plan.Candidates[0].Amount(CostKind.Fee));
        Assert.Equal(Money.Zero, plan.Candidates[1].Amount(CostKind.Fee));
    }

    [Fact]
    public void Ties_go_to_the_nearer_place_and_then_to_the_smaller_id()
    {
        var workload = Workload() with
        {
            Where = new WhereSpec { Latency = new LatencySpec { MaxMs = 500, From = [new PlaceSpec("Frankfurt", Frankfurt)] } },
        };
        var near = Offer("Near", "z") with { Region = new Region("z", "DE", Frankfurt) };
        var plan = workload.Plan(Offer("B"), Offer("A"), near);
        Assert.Equal(["Near", "A", "B"], plan.Candidates.Select(c => c.Offer.Provider));
    }

    [Fact]
    public void Any_of_takes_the_cheapest_that_can_be_had()
    {
        var a100 = Offer(type: "p4d", price: 30) with { Accelerators = new OfferAccelerators("A100-SXM-80GB", "nvidia", 80L << 30, 8) };
        var workload = Workload() with { Resources = new ResourceSpec { AnyOf = [Eight("H100"), Eight("A100")] } };
        Assert.Equal(["p4d", "p5.48xlarge"], workload.Plan(Offer(), a100).Candidates.Select(c => c.Offer.InstanceType));
    }

    [Fact]
    public void Ordered_takes_a_later_choice_only_where_no_earlier_one_can_be_had()
    {
        var a100 = Offer(type: "p4d", price: 30) with { Accelerators = new OfferAccelerators("A100-SXM-80GB", "nvidia", 80L << 30, 8) };
        var workload = Workload() with { Resources = new ResourceSpec { Ordered = [Eight("H100"), Eight("A100")] } };
        var both = workload.Plan(Offer(), a100);
        Assert.Equal("p5.48xlarge", Assert.Single(both.Candidates).Offer.InstanceType);
        Assert.Equal([ReasonCodes.LaterChoice], both.Codes());
        Assert.Equal("p4d", Assert.Single(workload.Plan(a100).Candidates).Offer.InstanceType);
        Assert.Equal([ReasonCodes.Accelerator], workload.Plan(a100 with { Accelerators = null }).Codes());
    }

    [Fact]
    public void A_choice_may_name_its_own_regions_and_price_and_leave_to_interrupt()
    {
        var resources = Eight("H100");
        var workload = Workload() with
        {
            Where = new WhereSpec { Regions = ["eu-*"] },
            Resources = new ResourceSpec
            {
                AnyOf = [resources, resources with { Regions = ["us-*"], Interruptible = true, MaxPricePerHour = HourlyPrice.FromUsd(25) }],
            },
        };
        var offer = Offer() with { Spot = HourlyPrice.FromUsd(20) };
        var candidate = Assert.Single(workload.Plan(offer).Candidates);
        Assert.Equal(PriceModel.Spot, candidate.PriceModel);
    }

    [Fact]
    public void Machines_known_to_be_free_stand_in_for_the_capacity_of_the_offer()
    {
        var offers = OfferSnapshot.Compile([Offer() with { Capacity = 9 }]);
        var context = new PlanningContext { FreeMachines = new Dictionary<string, int> { ["AWS/us-east-1/p5.48xlarge"] = 1 } };
        var workload = Workload() with { Nodes = 2 };
        Assert.Single(Planner.Plan(workload, offers, PlanningContext.Default).Candidates);
        var plan = Planner.Plan(workload, offers, context);
        Assert.Equal("needs 2 nodes, has 1", plan.Rejected[0].Reasons[0].Message);
    }

    [Fact]
    public void A_sum_too_large_for_a_number_is_bounded_and_not_thrown()
    {
        var workload = Workload(hours: 8760 * 100) with { Nodes = 100_000 };
        Assert.Equal(100_000_000_000m, workload.Plan(Offer(price: 9_000_000)).Candidates[0].Total.Usd);
    }

    private static ResourceSpec Eight(string name) => new() { Accelerators = new AcceleratorSpec { Names = [name], Count = new(8, 8) } };
}
