using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Comparing;
using Cairn.Planning.Offers;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Comparing;

public sealed class Alternatives_Tests
{
    [Fact]
    public void A_finished_job_is_priced_at_the_cheapest_offer_of_every_provider_with_its_hardware()
    {
        var job = Workload() with
        {
            Where = new WhereSpec { DeploymentModels = [DeploymentModel.Decentralized] },
            Money = new MoneySpec { Budget = Usd(1), ExpectedDurationSeconds = 99 },
        };
        var costs = CostAt(job, 7200,
            Offer(), Offer(type: "dearer", price: 60), Offer("Pool", price: 16) with { DeploymentModel = DeploymentModel.Decentralized },
            Offer("NoGpu") with { Accelerators = null });
        Assert.Equal([("Pool", Usd(32)), ("AWS", Usd(110.08m))], costs.Select(c => (c.Offer.Provider, c.Total)));
    }

    [Fact]
    public void What_did_not_happen_costs_nothing_and_what_is_free_now_does_not_matter()
    {
        var job = Workload() with { Nodes = 2 };
        var candidate = Assert.Single(CostAt(job, 7200, Offer(price: 10) with { FailuresPerHour = 0.5, BootSeconds = 600, Capacity = 1 }));
        Assert.Equal(Usd(40), candidate.Total);
    }

    [Fact]
    public void The_data_that_moved_is_priced_as_it_was()
    {
        var use = new ActualUse { RunSeconds = 3600, Outputs = [new DataSpec { Name = "model", SizeBytes = 500 * GB }] };
        var offers = OfferSnapshot.Compile([Offer() with { Egress = new EgressPrices { Internet = AwsLadder } }]);
        var candidate = Assert.Single(Alternatives.CostAt(Workload(), use, offers, PlanningContext.Default));
        Assert.Equal(Usd(45), candidate.Amount(CostKind.OutputTransfer));
        Assert.Equal("model: 500 GB to the control plane over the internet", candidate.Items[^1].Detail);
    }

    private static IReadOnlyList<Candidate> CostAt(WorkloadSpec job, long seconds, params Offer[] offers) =>
        Alternatives.CostAt(job, new ActualUse { RunSeconds = seconds }, OfferSnapshot.Compile(offers), PlanningContext.Default);
}
