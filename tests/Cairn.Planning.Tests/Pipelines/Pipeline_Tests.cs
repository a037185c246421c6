using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using static Cairn.Planning.Tests.Sample;

namespace Cairn.Planning.Tests.Pipelines;

public sealed class Pipeline_Tests
{
    [Fact]
    public void Steps_stay_together_where_moving_the_data_costs_more_than_it_saves()
    {
        var file = Chain(outputGB: 1000);
        var plan = Plan(file, Cloud, Pool);
        Assert.Equal(["AWS", "AWS"], plan.Steps.Select(s => s.Chosen!.Offer.Provider));
        Assert.Empty(plan.Transfers);
        Assert.Equal(plan.Steps[0].Chosen!.Total + plan.Steps[1].Chosen!.Total, plan.Total);
    }

    [Fact]
    public void Steps_part_where_moving_the_data_costs_less_than_it_saves()
    {
        var plan = Plan(Chain(outputGB: 10), Cloud, Pool);
        Assert.Equal(["AWS", "Pool"], plan.Steps.Select(s => s.Chosen!.Offer.Provider));
        var transfer = Assert.Single(plan.Transfers);
        Assert.Equal(("prepare", "train", 10 * GB, Usd(0.9m)), (transfer.From, transfer.To, transfer.Bytes, transfer.Cost));
        Assert.Equal("10 GB from AWS/us-east-1 to Pool/any over the internet", transfer.Detail);
        Assert.Equal(plan.Steps[0].Chosen!.Total + plan.Steps[1].Chosen!.Total + transfer.Cost, plan.Total);
    }

    [Fact]
    public void Data_between_two_regions_of_one_provider_is_charged()
    {
        var far = Cloud with { Id = "AWS/eu-west-1/x", Region = new Region("eu-west-1", "IE", null), Certifications = [] };
        var file = Chain(outputGB: 100, trainIn: "eu-*");
        var transfer = Assert.Single(Plan(file, Cloud, far).Transfers);
        Assert.Equal(Usd(2), transfer.Cost);
        Assert.EndsWith("across regions", transfer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_reads_what_its_inputs_name_and_else_all_that_the_other_writes()
    {
        var file = Chain(outputGB: 50);
        var prepare = file.Steps[0].Workload with
        {
            Outputs = [new DataSpec { Name = "small", SizeBytes = 1 * GB }, new DataSpec { Name = "large", SizeBytes = 49 * GB }],
        };
        var reads = file.Steps[1].Workload with { Inputs = [new DataSpec { Name = "small", Step = "prepare" }] };
        var named = file with { Steps = [file.Steps[0] with { Workload = prepare }, file.Steps[1] with { Workload = reads }] };
        Assert.Equal(1 * GB, Assert.Single(Plan(named, Cloud, Pool).Transfers).Bytes);
        Assert.Equal(50 * GB, Assert.Single(Plan(file, Cloud, Pool).Transfers).Bytes);
    }

    [Fact]
    public void An_output_that_a_step_takes_is_not_sent_to_the_control_plane_as_well()
    {
        var plan = Plan(Chain(outputGB: 10), Cloud, Pool);
        Assert.Equal(Money.Zero, plan.Steps[0].Chosen!.Amount(CostKind.OutputTransfer));
    }

    [Fact]
    public void A_step_without_a_place_leaves_the_others_theirs_and_no_total()
    {
        var file = Chain(outputGB: 10, trainIn: "mars-*");
        var plan = Plan(file, Cloud, Pool);
        Assert.NotNull(plan.Steps[0].Chosen);
        Assert.Null(plan.Steps[1].Chosen);
        Assert.Equal(2, plan.Steps[1].Plan.Rejected.Count);
        Assert.Null(plan.Total);
    }

    [Fact]
    public void A_file_of_one_step_is_placed_as_its_workload_is()
    {
        var workload = Workload();
        var offers = OfferSnapshot.Compile([Offer(), Offer("GCP", price: 40)]);
        var file = new WorkloadFile { Name = "one", Steps = [new StepSpec { Name = "one", Workload = workload }] };
        var alone = Planner.Plan(workload, offers, PlanningContext.Default);
        Assert.Equal(alone.Candidates[0].Total, Planner.Plan(file, offers, PlanningContext.Default).Total);
    }

    [Fact]
    public void A_need_for_a_step_that_is_not_there_is_refused()
    {
        var file = Chain(outputGB: 1);
        file = file with { Steps = [file.Steps[0] with { Needs = ["nobody"] }, file.Steps[1]] };
        Assert.Contains("'nobody'", Assert.Throws<ArgumentException>(() => Plan(file, Cloud)).Message, StringComparison.Ordinal);
    }

    private static PipelinePlan Plan(WorkloadFile file, params Offer[] offers) =>
        Planner.Plan(file, OfferSnapshot.Compile(offers), PlanningContext.Default);

    private static Offer Cloud => Offer() with
    {
        Egress = new EgressPrices { Internet = AwsLadder, CrossRegionPerGigabyte = Usd(0.02m) },
        Certifications = ["soc2"],
    };

    private static Offer Pool => Offer("Pool", "any", "gpu", 50);

    /// <summary>A step that only the cloud may do, then one that the pool does for $50.40 less.</summary>
    private static WorkloadFile Chain(long outputGB, string trainIn = "*") => new()
    {
        Name = "chain",
        Steps =
        [
            new StepSpec
            {
                Name = "prepare",
                Workload = Workload() with
                {
                    Name = "prepare", Outputs = [new DataSpec { Name = "data", SizeBytes = outputGB * GB }],
                    Where = new WhereSpec { Certifications = ["soc2"] },
                },
            },
            new StepSpec
            {
                Name = "train", Needs = ["prepare"],
                Workload = Workload() with { Name = "train", Where = new WhereSpec { Regions = [trainIn] } },
            },
        ],
    };
}
