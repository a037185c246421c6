using Cairn.Contracts.Offers;
using Cairn.Contracts.Plans;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using CsCheck;

namespace Cairn.Planning.Tests.Plans;

public sealed class Planner_properties_Tests
{
    private static readonly Gen<(Offer[] Offers, WorkloadSpec Workload, PlanningContext Context)> s_any =
        Gen.Select(Generate.Offers, Generate.Workload, Generate.Context);

    [Fact]
    public void The_compiled_planner_agrees_with_a_plain_one_offer_by_offer() => Gen.Select(s_any, Gen.Bool).Sample((any, sourcesKnown) =>
    {
        var (offers, workload, context) = any;
        if (!sourcesKnown)
            context = context with { SourceEgress = new Dictionary<string, EgressPrices>() };
        var plan = Plan(workload, offers, context);
        var expected = Oracle.Plan(workload, offers, context);
        Assert.Equal(expected.Values.Sum(v => v.Reasons.Count == 0 ? v.Totals.Count : 0), plan.Candidates.Count);
        Assert.All(plan.Candidates, c => Assert.Equal(expected[c.Offer.Id].Totals[c.PriceModel], c.Total.Micros));
        Assert.Equal(expected.Values.Count(v => v.Reasons.Count > 0), plan.Rejected.Count);
        Assert.All(plan.Rejected, r => Assert.Equal(expected[r.Offer.Id].Reasons, r.Reasons.Select(x => x.Code).ToHashSet()));
    }, iter: 5000);

    [Fact]
    public void Every_offer_is_a_candidate_or_rejected_and_never_both() => s_any.Sample((offers, workload, context) =>
    {
        var plan = Plan(workload, offers, context);
        var candidates = plan.Candidates.Select(c => c.Offer.Id).ToHashSet();
        var rejected = plan.Rejected.Select(r => r.Offer.Id).ToHashSet();
        Assert.Empty(candidates.Intersect(rejected));
        Assert.Equal(offers.Select(o => o.Id).ToHashSet(), [.. candidates, .. rejected]);
        Assert.Equal(plan.Candidates.Count, plan.Candidates.DistinctBy(c => (c.Offer.Id, c.PriceModel)).Count());
        Assert.Equal(plan.Rejected.Count, rejected.Count);
        Assert.All(plan.Rejected, r => Assert.NotEmpty(r.Reasons));
    }, iter: 3000);

    [Fact]
    public void A_total_is_the_sum_of_its_items_and_they_come_in_order() => s_any.Sample((offers, workload, context) =>
    {
        foreach (var candidate in Plan(workload, offers, context).Candidates)
        {
            Assert.Equal(candidate.Total.Micros, candidate.Items.Sum(i => i.Amount.Micros));
            Assert.All(candidate.Items, i => Assert.True(i.Amount > Money.Zero && i.Detail.Length > 0));
            Assert.Equal(candidate.Items.OrderBy(i => i.Kind), candidate.Items);
        }
    }, iter: 3000);

    [Fact]
    public void Candidates_come_cheapest_first() => s_any.Sample((offers, workload, context) =>
    {
        var candidates = Plan(workload, offers, context).Candidates;
        Assert.Equal(candidates.OrderBy(c => c.Total).ThenBy(c => c.LatencyMs).ThenBy(c => c.Offer.Id, StringComparer.Ordinal)
            .ThenBy(c => c.PriceModel).Select(c => (c.Offer.Id, c.PriceModel)), candidates.Select(c => (c.Offer.Id, c.PriceModel)));
    }, iter: 3000);

    [Fact]
    public void One_more_offer_never_makes_the_best_worse() =>
        Gen.Select(s_any, Generate.OneOffer).Where(t => t.Item1.Workload.Resources.Ordered.Count == 0).Sample((any, more) =>
        {
            var before = Plan(any.Workload, any.Offers, any.Context);
            var after = Plan(any.Workload, [.. any.Offers, more with { Id = "more" }], any.Context);
            if (before.Candidates.Count > 0)
                Assert.True(after.Candidates[0].Total <= before.Candidates[0].Total);
        }, iter: 3000);

    [Fact]
    public void A_raised_price_never_moves_its_offer_up() =>
        Gen.Select(s_any, Gen.Int[0, 11], Gen.Int[1, 50]).Sample((any, which, raise) =>
        {
            var raised = any.Offers[which % any.Offers.Length];
            var dearer = raised with { OnDemand = raised.OnDemand + HourlyPrice.FromUsd(raise) };
            var before = Ranks(any.Offers);
            var after = Ranks([.. any.Offers.Select(o => o == raised ? dearer : o)]);
            if (before.TryGetValue((raised.Id, PriceModel.OnDemand), out var rank) && after.TryGetValue((raised.Id, PriceModel.OnDemand), out var now))
                Assert.True(now >= rank);
            else
                Assert.False(!before.ContainsKey((raised.Id, PriceModel.OnDemand)) && after.ContainsKey((raised.Id, PriceModel.OnDemand)));

            Dictionary<(string, PriceModel), int> Ranks(Offer[] offers) => Plan(any.Workload with
            {
                Resources = any.Workload.Resources with { Ordered = [], AnyOf = [] },
            }, offers, any.Context).Candidates.Select((c, i) => (Key: (c.Offer.Id, c.PriceModel), i)).ToDictionary(p => p.Key, p => p.i);
        }, iter: 3000);

    [Fact]
    public void The_order_of_offers_changes_nothing() =>
        s_any.SelectMany(any => Gen.Shuffle(any.Offers).Select(shuffled => (any, shuffled))).Sample(t =>
        {
            var plan = Plan(t.any.Workload, t.any.Offers, t.any.Context);
            var other = Plan(t.any.Workload, t.shuffled, t.any.Context);
            Assert.Equal(plan.Candidates.Select(c => (c.Offer.Id, c.PriceModel, c.Total)), other.Candidates.Select(c => (c.Offer.Id, c.PriceModel, c.Total)));
            Assert.Equal(plan.Rejected.SelectMany(r => r.Reasons), other.Rejected.SelectMany(r => r.Reasons));
        }, iter: 3000);

    [Fact]
    public void A_need_less_never_takes_a_candidate_away() =>
        Gen.Select(s_any, Gen.Int[0, 11]).Where(t => t.Item1.Workload.Resources.Ordered.Count == 0).Sample((any, which) =>
        {
            var before = Plan(any.Workload, any.Offers, any.Context).Candidates.Select(c => (c.Offer.Id, c.PriceModel)).ToHashSet();
            var after = Plan(Relaxed(any.Workload, which), any.Offers, any.Context).Candidates.Select(c => (c.Offer.Id, c.PriceModel)).ToHashSet();
            Assert.Subset(after, before);
        }, iter: 5000);

    [Fact]
    public void Every_candidate_keeps_to_its_limits() => s_any.Sample((offers, workload, context) =>
    {
        foreach (var candidate in Plan(workload, offers, context).Candidates)
        {
            Assert.True(candidate.Total <= (workload.Money.Budget ?? candidate.Total));
            Assert.True(candidate.ExpectedSeconds <= (workload.Money.DeadlineSeconds ?? long.MaxValue));
            Assert.True(candidate.Offer.Trust >= workload.Where.Trust);
            Assert.True(candidate.Offer.WorksOffline || !workload.Where.Offline);
            Assert.True(candidate.LatencyMs is null || candidate.LatencyMs <= workload.Where.Latency!.MaxMs);
            Assert.Empty(workload.Where.Certifications.Except(candidate.Offer.Certifications));
        }
    }, iter: 3000);

    private static WorkloadSpec Relaxed(WorkloadSpec w, int which) => which switch
    {
        0 => w with { Where = w.Where with { DeploymentModels = [], Providers = [] } },
        1 => w with { Where = w.Where with { Regions = [] } },
        2 => w with { Where = w.Where with { Residency = [] } },
        3 => w with { Where = w.Where with { Certifications = [] } },
        4 => w with { Where = w.Where with { Latency = null } },
        5 => w with { Where = w.Where with { AvailabilityPercent = null, Trust = TrustTier.Community } },
        6 => w with { Where = w.Where with { Offline = false, Interruptible = true } },
        7 => w with { Money = w.Money with { Budget = null } },
        8 => w with { Money = w.Money with { DeadlineSeconds = null } },
        9 => w with { Money = w.Money with { MaxPricePerHour = null } },
        10 => w with { Resources = w.Resources with { Interconnect = InterconnectKind.None, NodeLabels = new Dictionary<string, string>() } },
        _ => w with { Resources = w.Resources with { Spread = false, DiskBytes = 0 } },
    };

    private static Plan Plan(WorkloadSpec workload, Offer[] offers, PlanningContext context) =>
        Planner.Plan(workload, OfferSnapshot.Compile(offers), context);
}
