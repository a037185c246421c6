using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Plans;

public sealed class Reasons_Tests
{
    public static TheoryData<string, WorkloadSpec, string> OneNeedEach()
    {
        var w = Workload();
        var r = w.Resources;
        return new()
        {
            { "accelerator", w with { Resources = Card(a => a with { Names = ["A100", "H200"] }) }, "needs A100 or H200, has H100-SXM-80GB" },
            { "accelerator", w with { Resources = Card(a => a with { Names = [], Vendor = "amd" }) }, "needs an accelerator by amd, has H100-SXM-80GB" },
            { "accelerator_memory", w with { Resources = Card(a => a with { MemoryBytes = new(100 * GB, null) }) },
                "needs at least 100 GB per accelerator, H100-SXM-80GB has 85.9 GB" },
            { "accelerator_count", w with { Resources = Card(a => a with { Count = new(16, null) }) }, "needs 16 accelerators in one machine, has 8" },
            { "cpus", w with { Resources = r with { Cpus = new(200, null) } }, "needs 200 CPUs per node, has 192" },
            { "memory", w with { Resources = r with { MemoryBytes = new(3000 * GB, null) } }, "needs 3 TB of memory per node, has 2 TB" },
            { "disk", w with { Resources = r with { DiskBytes = 2000 * GB } },
                "needs 2 TB of disk per node, AWS has 1 TB per machine and sells no more there" },
            { "interconnect", w with { Nodes = 2, Resources = r with { Interconnect = InterconnectKind.Infiniband } },
                "needs infiniband between nodes, has ethernet" },
            { "labels", w with { Resources = r with { NodeLabels = new Dictionary<string, string> { ["rack"] = "7" } } },
                "needs label rack=7, has no such label" },
            { "deployment_model", w with { Where = new WhereSpec { DeploymentModels = [DeploymentModel.Edge] } },
                "needs deployment model edge, is hyperscaler" },
            { "provider", w with { Where = new WhereSpec { Providers = ["gcp", "azure"] } }, "needs provider gcp or azure, is AWS" },
            { "region", w with { Where = new WhereSpec { Regions = ["eu-*"] } }, "needs region eu-*, is AWS/us-east-1" },
            { "residency", w with { Where = new WhereSpec { Residency = ["EEA"] } }, "needs to stay in EEA, is in US" },
            { "certification", w with { Where = new WhereSpec { Certifications = ["SOC2", "hipaa", "pci"] } }, "needs hipaa, pci, has soc2" },
            { "latency", w with { Where = new WhereSpec { Latency = new LatencySpec { MaxMs = 50, From = [new("Frankfurt", Frankfurt)] } } },
                "needs 50 ms from Frankfurt, is 115.5 ms away" },
            { "availability", w with { Where = new WhereSpec { AvailabilityPercent = 99.99 } }, "needs 99.99 % availability, promises 99.9 %" },
            { "offline", w with { Where = new WhereSpec { Offline = true } }, "needs to go on without a network, depends on one" },
            { "trust", w with { Where = new WhereSpec { Trust = TrustTier.Enterprise } }, "needs trust enterprise, has verified" },
            { "price", w with { Money = w.Money with { MaxPricePerHour = HourlyPrice.FromUsd(50) } },
                "needs at most $50.00/h per node, costs $55.04/h on demand" },
            { "budget", w with { Money = w.Money with { Budget = Usd(500) } }, "needs at most $500.00 in all, costs $550.40 on demand" },
            { "deadline", w with { Money = w.Money with { DeadlineSeconds = 36000 } }, "needs to end within 10 h, takes 10.17 h on demand" },
            { "capacity", w with { Nodes = 5 }, "needs 5 nodes, has 4" },
        };

        ResourceSpec Card(Func<AcceleratorSpec, AcceleratorSpec> change) => r with { Accelerators = change(r.Accelerators!) };
    }

    [Theory]
    [MemberData(nameof(OneNeedEach), DisableDiscoveryEnumeration = true)]
    public void Each_need_that_is_not_met_is_the_one_reason_and_says_what_is_needed_and_what_is_there(
        string code, WorkloadSpec workload, string message)
    {
        var plan = workload.Plan(Ordinary);
        Assert.Empty(plan.Candidates);
        Assert.Equal(new Reason(code, message), Assert.Single(Assert.Single(plan.Rejected).Reasons));
    }

    [Fact]
    public void All_reasons_that_hold_are_named()
    {
        var workload = Workload(accelerators: 16) with
        {
            Nodes = 9,
            Where = new WhereSpec { Residency = ["DE"], Offline = true, Certifications = ["fedramp"] },
            Money = new MoneySpec { Budget = Usd(1), DeadlineSeconds = 60, MaxPricePerHour = HourlyPrice.FromUsd(1), ExpectedDurationSeconds = 3600 },
        };
        Assert.Equal(
            ["accelerator_count", "residency", "certification", "offline", "capacity", "price", "budget", "deadline"],
            workload.Plan(Ordinary).Codes());
    }

    [Fact]
    public void An_offer_without_a_known_position_cannot_meet_a_latency()
    {
        var workload = Workload() with { Where = new WhereSpec { Latency = new LatencySpec { MaxMs = 900, From = [new("Frankfurt", Frankfurt)] } } };
        var plan = workload.Plan(Ordinary with { Region = new Region("us-east-1", "US", null) });
        Assert.Equal("needs 900 ms from Frankfurt, where us-east-1 stands is unknown", plan.Rejected[0].Reasons[0].Message);
    }

    [Fact]
    public void Every_named_place_must_be_near()
    {
        var from = new PlaceSpec[] { new("Frankfurt", Frankfurt), new("Washington", new GeoPoint(38.9, -77.0)) };
        var near = Workload() with { Where = new WhereSpec { Latency = new LatencySpec { MaxMs = 50, From = [from[1]] } } };
        var both = Workload() with { Where = new WhereSpec { Latency = new LatencySpec { MaxMs = 50, From = from } } };
        Assert.Single(near.Plan(Ordinary).Candidates);
        Assert.Equal(["latency"], both.Plan(Ordinary).Codes());
    }

    [Fact]
    public void An_offer_of_an_unknown_country_is_inside_no_residency()
    {
        var workload = Workload() with { Where = new WhereSpec { Residency = ["US"] } };
        Assert.Single(workload.Plan(Ordinary).Candidates);
        Assert.Equal(["residency"], workload.Plan(Ordinary with { Region = new Region("x", "", null) }).Codes());
    }

    [Fact]
    public void Reasons_of_several_choices_say_which_choice()
    {
        var resources = Workload().Resources;
        var workload = Workload() with
        {
            Resources = new ResourceSpec
            {
                AnyOf = [resources with { Cpus = new(300, null) }, resources with { Accelerators = new AcceleratorSpec { Names = ["B200"] } }],
            },
        };
        Assert.Equal(["choice 1: needs 300 CPUs per node, has 192", "choice 2: needs B200, has H100-SXM-80GB"],
            workload.Plan(Ordinary).Rejected[0].Reasons.Select(r => r.Message));
    }

    [Fact]
    public void Work_that_is_lost_faster_than_it_is_done_has_no_place()
    {
        var workload = Workload(hours: 1000) with { Nodes = 4 };
        var plan = workload.Plan(Ordinary with { FailuresPerHour = 0.1 });
        Assert.Equal([ReasonCodes.Interruption], plan.Codes());
        Assert.Single((workload with { Checkpoints = new CheckpointSpec { Path = "c" } }).Plan(Ordinary with { FailuresPerHour = 0.1 }).Candidates);
    }

    [Fact]
    public void Rejections_are_counted_by_code()
    {
        var workload = Workload() with { Where = new WhereSpec { Offline = true, Providers = ["GCP"] } };
        var plan = workload.Plan(Ordinary, Offer("GCP"), Offer("GCP", "b") with { WorksOffline = true });
        Assert.Equal(new Dictionary<string, int> { ["offline"] = 2, ["provider"] = 1 }, plan.RejectedByCode());
    }

    private static Offer Ordinary => Offer() with
    {
        Certifications = ["soc2"],
        AvailabilityPercent = 99.9,
        Interconnect = InterconnectKind.Ethernet,
        Trust = TrustTier.Verified,
        Capacity = 4,
        BootSeconds = 600,
    };
}
