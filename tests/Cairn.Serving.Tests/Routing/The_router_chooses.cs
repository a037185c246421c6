using Cairn.Serving.Gateway.Routing;
using CsCheck;

namespace Cairn.Serving.Tests.Routing;

public sealed class The_router_chooses
{
    private static readonly RoutingOptions s_options = new();

    /// <summary>The example of Dynamo's page on KV-cache-aware routing, in blocks of one token: costs 18, 10 and 11.</summary>
    [Fact]
    public void Computing_plus_waiting_is_least_on_the_second_of_three()
    {
        ReplicaView[] replicas = [Of(1, tokens: 10), Of(2, tokens: 5), Of(3, tokens: 9)];
        PrefixMatch[] matches = [new(3, 8), new(2, 5), new(1, 2)];
        for (ulong dice = 0; dice < 100; dice++)
        {
            var decision = Router.Choose(s_options, replicas, new RoutingRequest { PromptTokens = 10, PromptBlocks = 10, Matches = matches }, dice);
            Assert.Equal(2, decision.Choice.Slot);
            Assert.Equal(10, decision.Choice.Cost);
            Assert.Equal([18, 10, 11], Costs(decision).OrderBy(c => c.Slot).Select(c => c.Cost));
        }
    }

    [Fact]
    public void A_cached_prefix_wins_until_waiting_costs_more_than_computing()
    {
        PrefixMatch[] matches = [new(1, 100)];
        Assert.Equal(1, Choose([Of(1, tokens: 1500), Of(2), Of(3)], 1600, 100, matches).Slot);
        Assert.NotEqual(1, Choose([Of(1, tokens: 1700), Of(2), Of(3)], 1600, 100, matches).Slot);
    }

    [Fact]
    public void Only_ready_replicas_with_room_that_did_not_fail_it_before_are_chosen()
    {
        ReplicaView[] replicas =
        [
            Of(1) with { Condition = ReplicaCondition.Unready }, Of(2) with { Condition = ReplicaCondition.Draining },
            Of(3) with { Condition = ReplicaCondition.Broken }, Of(4) with { Requests = 8, MostRequests = 8 }, Of(5, tokens: 1_000_000), Of(6),
        ];
        PrefixMatch[] everywhere = [.. replicas.Select(r => new PrefixMatch(r.Slot, 10))];
        int[] tried = [6];
        var decision = Router.Choose(s_options, replicas, new RoutingRequest { PromptTokens = 100, PromptBlocks = 10, Matches = everywhere, Tried = tried }, 1);
        Assert.Equal((RouteOutcome.Chosen, 5, 1), (decision.Outcome, decision.Choice.Slot, decision.CandidateCount));
        Assert.Equal((1, 1, 1, 1, 1), (decision.Unready, decision.Draining, decision.Broken, decision.Full, decision.Tried));
    }

    [Fact]
    public void None_ready_and_all_full_are_two_answers()
    {
        Assert.Equal(RouteOutcome.NoReplica, Router.Choose(s_options, [], default, 1).Outcome);
        Assert.Equal(RouteOutcome.NoReplica, Router.Choose(s_options, [Of(1) with { Condition = ReplicaCondition.Broken }], default, 1).Outcome);
        Assert.Equal(RouteOutcome.Saturated, Router.Choose(s_options, [Of(1) with { Requests = 1, MostRequests = 1 }], default, 1).Outcome);
    }

    [Fact]
    public void Near_ones_are_taken_until_they_have_more_to_do_than_the_way_is_worth()
    {
        ReplicaView[] replicas = [Of(1, tokens: 300), Of(2, tokens: 300), Of(3) with { LatencyMs = 80 }];
        Assert.NotEqual(3, Choose(replicas, 10, 0, []).Slot);
        replicas[0].Tokens = replicas[1].Tokens = 400; // 80 ms are worth 320 tokens
        Assert.Equal(3, Choose(replicas, 10, 0, []).Slot);
    }

    [Fact]
    public void A_session_stays_and_moves_only_when_its_replica_goes()
    {
        var replicas = Enumerable.Range(1, 50).Select(i => Of(i)).ToArray();
        int At(ReplicaView[] all, ulong session, ulong dice) =>
            Router.Choose(s_options, all, new RoutingRequest { PromptTokens = 10, SessionHash = session }, dice).Choice.Slot;

        var places = Enumerable.Range(1, 500).ToDictionary(s => s, s => At(replicas, (ulong)s, 1));
        Assert.All(places, p => Assert.Equal(p.Value, At(replicas, (ulong)p.Key, 99)));
        Assert.True(places.Values.Distinct().Count() > 45);
        var without = replicas.Where(r => r.Slot != 7).ToArray();
        Assert.All(places, p =>
        {
            if (p.Value != 7)
                Assert.Equal(p.Value, At(without, (ulong)p.Key, 5));
        });
    }

    [Fact]
    public void An_adapter_is_asked_of_those_that_have_it()
    {
        ReplicaView[] replicas = [Of(1), Of(2, tokens: 1000) with { AdapterBits = 4 }];
        var decision = Router.Choose(s_options, replicas, new RoutingRequest { PromptTokens = 10, AdapterBit = 4 }, 3);
        Assert.Equal(2, decision.Choice.Slot);
        Assert.Equal(2000, Costs(decision).Single(c => c.Slot == 1).Adapter);
    }

    [Fact]
    public void One_of_a_thousand_that_has_the_adapter_is_found_until_waiting_costs_more_than_loading()
    {
        var replicas = Enumerable.Range(1, 1000).Select(i => Of(i)).ToArray();
        replicas[700].AdapterBits = 4;
        for (ulong dice = 0; dice < 100; dice++)
            Assert.Equal(701, Router.Choose(s_options, replicas, new RoutingRequest { PromptTokens = 10, AdapterBit = 4 }, dice).Choice.Slot);
        replicas[700].Tokens = 2001;
        Assert.NotEqual(701, Router.Choose(s_options, replicas, new RoutingRequest { PromptTokens = 10, AdapterBit = 4 }, 1).Choice.Slot);
    }

    [Fact]
    public void What_others_sent_is_waited_for_too()
    {
        ReplicaView[] replicas = [Of(1) with { Elsewhere = 4 }, Of(2, tokens: 2000)];
        Assert.Equal(2, Choose(replicas, 10, 0, []).Slot);
        replicas[1].Tokens = 2100; // four requests stand for 2,048
        Assert.Equal(1, Choose(replicas, 10, 0, []).Slot);
    }

    [Fact]
    public void A_full_cache_is_avoided()
    {
        ReplicaView[] replicas = [Of(1) with { CacheUsage = 0.98f }, Of(2, tokens: 3000) with { CacheUsage = 0.5f }];
        Assert.Equal(2, Choose(replicas, 10, 0, []).Slot);
    }

    [Fact]
    public void The_cheapest_of_those_weighed_is_chosen_and_every_term_is_told() =>
        Gen.Select(Gen.Long[0, 5000].Array[1, 40], Gen.ULong).Sample((tokens, dice) =>
        {
            var replicas = tokens.Select((t, i) => Of(i + 1, tokens: t)).ToArray();
            var decision = Router.Choose(s_options, replicas, new RoutingRequest { PromptTokens = 64 }, dice);
            var costs = Costs(decision);
            Assert.Equal(costs.Min(c => c.Cost), decision.Choice.Cost);
            Assert.Equal(Math.Min(2, replicas.Length), costs.Count);
            Assert.All(costs, c => Assert.Equal(64 + replicas[c.Index].Tokens, c.Cost));
        });

    [Fact]
    public void A_decision_over_a_thousand_replicas_allocates_nothing()
    {
        var replicas = Enumerable.Range(1, 1000).Select(i => Of(i, tokens: i % 17)).ToArray();
        var index = new PrefixIndex(1 << 12);
        var hashes = new ulong[PrefixHashes.MostBlocks];
        var prompt = new byte[4096];
        var sum = 0L;
        void Once(ulong dice)
        {
            var count = PrefixHashes.Compute(prompt, 1, hashes);
            Span<PrefixMatch> matches = stackalloc PrefixMatch[4];
            var found = index.Match(hashes.AsSpan(0, count), matches);
            var request = new RoutingRequest { PromptTokens = 1024, PromptBlocks = count, Matches = matches[..found], SessionHash = 9 };
            var slot = Router.Choose(s_options, replicas, request, dice).Choice.Slot;
            index.Record(hashes.AsSpan(0, count), slot);
            sum += slot;
        }

        for (ulong i = 0; i < 100; i++)
            Once(i);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong i = 0; i < 100; i++)
            Once(i);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotEqual(0, sum);
    }

    private static Candidate Choose(ReplicaView[] replicas, int tokens, int blocks, PrefixMatch[] matches) =>
        Router.Choose(s_options, replicas, new RoutingRequest { PromptTokens = tokens, PromptBlocks = blocks, Matches = matches }, 11).Choice;

    private static List<Candidate> Costs(RouteDecision decision) =>
        [.. Enumerable.Range(0, decision.CandidateCount).Select(i => decision.Candidates[i])];

    private static ReplicaView Of(int slot, long tokens = 0) => new() { Slot = slot, Tokens = tokens };
}
