using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Catalog;
using Cairn.Planning;
using Cairn.Planning.Offers;

namespace Cairn.Fleet.Tests.Catalog;

/// <summary>
/// Which place wins for which use, from prices and constraints alone: the files name no place, and the planner knows no file.
/// </summary>
public sealed class Use_cases
{
    private static readonly OfferSnapshot s_builtIn = OfferSnapshot.Compile(BuiltInCatalog.Offers);

    private static WorkloadFile Load(string name)
    {
        var path = Path.Combine(Root(), "examples", "use-cases", name + ".yaml");
        var result = WorkloadParser.Parse(File.ReadAllBytes(path), path);
        Assert.Empty(result.Errors);
        return result.File!;
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Cairn.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Cairn.slnx was not found above the test's folder.");
    }

    private static WorkloadSpec Single(string name) => Assert.Single(Load(name).Steps).Workload;

    private static Candidate Winner(WorkloadSpec workload, OfferSnapshot? offers = null)
    {
        var plan = Planner.Plan(workload, offers ?? s_builtIn, PlanningContext.Default);
        foreach (var candidate in plan.Candidates.Take(5))
            TestContext.Current.TestOutputHelper?.WriteLine($"{candidate.Total,14} {candidate.PriceModel} {candidate.Offer.Id} x{candidate.Machines}");
        return Assert.IsType<Candidate>(plan.Candidates.FirstOrDefault());
    }

    private static OfferSnapshot BuiltInWith(Func<Offer, Offer> change) => OfferSnapshot.Compile([.. BuiltInCatalog.Offers.Select(change)]);

    [Theory]
    [InlineData("llm-training", DeploymentModel.Decentralized)]
    [InlineData("realtime-10ms", DeploymentModel.Edge)]
    [InlineData("realtime-50ms", DeploymentModel.Hyperscaler)]
    [InlineData("agent", DeploymentModel.Decentralized)]
    [InlineData("regulated", DeploymentModel.Hyperscaler)]
    [InlineData("fine-tuning", DeploymentModel.Decentralized)]
    [InlineData("prototyping", DeploymentModel.Decentralized)]
    [InlineData("on-device", DeploymentModel.Edge)]
    public void Are_won_by_the_place_that_is_cheapest_among_those_that_meet_the_needs(string name, DeploymentModel winner) =>
        Assert.Equal(winner, Winner(Single(name)).Offer.DeploymentModel);

    [Fact]
    public void In_batch_are_won_by_suppliers_or_by_spot()
    {
        var winner = Winner(Single("batch"));
        Assert.True(winner.Offer.DeploymentModel == DeploymentModel.Decentralized || winner.PriceModel == PriceModel.Spot, winner.Offer.Id);
    }

    [Fact]
    public void As_one_hybrid_pipeline_use_all_three_kinds_of_places()
    {
        var plan = Planner.Plan(Load("hybrid"), s_builtIn, PlanningContext.Default);
        Assert.Equal(
            [("train", DeploymentModel.Decentralized), ("serve", DeploymentModel.Edge), ("comply", DeploymentModel.Hyperscaler)],
            plan.Steps.Select(step => (step.Name, step.Chosen!.Offer.DeploymentModel)));
        Assert.NotNull(plan.Total);
    }

    [Fact]
    public void Name_no_place_to_go_to()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Root(), "examples", "use-cases"), "*.yaml").Select(Path.GetFileNameWithoutExtension).ToList();
        Assert.Equal(10, files.Count);
        Assert.All(files.SelectMany(name => Load(name!).Steps), step => Assert.True(
            step.Workload.Where is { DeploymentModels: [], Providers: [], Regions: [] }
                && step.Workload.Resources.NodeLabels.Count == 0, step.Name));
    }

    [Fact]
    public void Go_to_the_edge_for_10_ms_even_at_ten_times_the_price_and_elsewhere_without_that_need()
    {
        var dearEdge = BuiltInWith(offer => offer.DeploymentModel == DeploymentModel.Edge
            ? offer with { OnDemand = offer.OnDemand * 10 } : offer);
        var workload = Single("realtime-10ms");
        Assert.Equal(DeploymentModel.Edge, Winner(workload, dearEdge).Offer.DeploymentModel);
        var patient = workload with { Where = workload.Where with { Latency = null } };
        Assert.NotEqual(DeploymentModel.Edge, Winner(patient, dearEdge).Offer.DeploymentModel);
    }

    [Fact]
    public void Leave_the_hyperscaler_when_no_certificate_is_asked()
    {
        var workload = Single("regulated");
        Assert.NotEqual(DeploymentModel.Hyperscaler, Winner(workload with { Where = new WhereSpec() }).Offer.DeploymentModel);
    }

    [Fact]
    public void Leave_the_cloud_at_50_ms_when_no_availability_is_asked_and_the_cards_cost_less_elsewhere()
    {
        var workload = Single("realtime-50ms");
        Assert.NotEqual(DeploymentModel.Hyperscaler, Winner(workload with { Where = workload.Where with { AvailabilityPercent = null } }).Offer.DeploymentModel);
    }

    [Fact]
    public void Leave_the_suppliers_when_their_price_rises_above_the_others()
    {
        var dear = BuiltInWith(offer => offer.DeploymentModel == DeploymentModel.Decentralized
            ? offer with { OnDemand = offer.OnDemand * 4 } : offer);
        Assert.All(
            (string[])["llm-training", "agent", "fine-tuning", "prototyping"],
            name => Assert.NotEqual(DeploymentModel.Decentralized, Winner(Single(name), dear).Offer.DeploymentModel));
    }

    [Fact]
    public void Train_elsewhere_when_the_fabric_is_not_there()
    {
        var plain = BuiltInWith(offer => offer.DeploymentModel == DeploymentModel.Decentralized
            ? offer with { Interconnect = InterconnectKind.Ethernet } : offer);
        Assert.Equal(DeploymentModel.Specialized, Winner(Single("llm-training"), plain).Offer.DeploymentModel);
    }
}
