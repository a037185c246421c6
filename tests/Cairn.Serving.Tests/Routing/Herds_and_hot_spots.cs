using Cairn.Serving.Gateway.Routing;

namespace Cairn.Serving.Tests.Routing;

/// <summary>Simulated gateways and replicas with a simulated clock: what single decisions add up to.</summary>
public sealed class Herds_and_hot_spots
{
    private static readonly RoutingOptions s_options = new();

    [Fact]
    public void Many_gateways_with_old_figures_do_not_run_to_the_same_replica()
    {
        var spread = Herd(MostRecentLeast);
        var ours = Herd((view, dice) => Router.Choose(s_options, view, new RoutingRequest { PromptTokens = 100 }, dice).Choice.Index);
        Assert.True(ours < 2.5, $"the busiest replica has {ours:0.0} times the mean");
        Assert.True(spread > 5, $"the control is to herd, and has {spread:0.0} times the mean");

        static int MostRecentLeast(ReplicaView[] view, ulong dice) => Array.IndexOf(view, view.MinBy(r => r.Tokens));
    }

    [Fact]
    public void A_hot_prefix_spreads_over_as_many_replicas_as_it_needs()
    {
        var random = new Random(5);
        var world = new World(16);
        for (var i = 0; i < 20_000; i++)
            world.Request(random, random.NextDouble() < 0.9 ? 0 : 1 + random.Next(1000));
        Assert.True(world.BusiestOverMean < 1.6, $"the busiest replica did {world.BusiestOverMean:0.00} times the mean");
    }

    [Fact]
    public void Conversations_find_their_caches_again()
    {
        var world = new World(16);
        var random = new Random(6);
        for (var i = 0; i < 20_000; i++)
            world.Request(random, random.Next(200));
        Assert.True(world.HitShare > 0.9, $"{world.HitShare:P0} of the blocks were cached");

        // Without affinity the same traffic finds them by luck only.
        var blind = new World(16, new RoutingOptions { PrefillWeight = 0 }) { Matching = false };
        random = new Random(6);
        for (var i = 0; i < 20_000; i++)
            blind.Request(random, random.Next(200));
        Assert.True(blind.HitShare < 0.6, $"{blind.HitShare:P0} without affinity");
    }

    /// <summary>32 gateways see the replicas' load as it was 100 requests ago.</summary>
    private static double Herd(Func<ReplicaView[], ulong, int> choose)
    {
        var random = new Random(4);
        var truth = Enumerable.Range(1, 64).Select(i => new ReplicaView { Slot = i }).ToArray();
        var seen = (ReplicaView[])truth.Clone();
        var (worst, running) = (0.0, new Queue<int>());
        for (var i = 0; i < 6400; i++)
        {
            if (i % 100 == 0)
                seen = (ReplicaView[])truth.Clone();
            var chosen = choose(seen, (ulong)random.NextInt64());
            truth[chosen].Tokens += 100;
            running.Enqueue(chosen);
            if (running.Count > 640)
                truth[running.Dequeue()].Tokens -= 100;
            if (i > 1000)
                worst = Math.Max(worst, truth.Max(r => r.Tokens) / (running.Count * 100.0 / truth.Length));
        }
        return worst;
    }

    /// <summary>Replicas keep the last 30 conversations they served; a conversation's prompt has 50 blocks; work takes time.</summary>
    private sealed class World(int replicas, RoutingOptions? options = null)
    {
        private const int Blocks = 50, BlockTokens = 16, Remembered = 30;
        private readonly ReplicaView[] _replicas = [.. Enumerable.Range(1, replicas).Select(i => new ReplicaView { Slot = i })];
        private readonly LinkedList<int>[] _caches = [.. Enumerable.Range(0, replicas).Select(_ => new LinkedList<int>())];
        private readonly long[] _done = new long[replicas];
        private readonly PrefixIndex _index = new(1 << 18);
        private readonly Queue<(int Replica, int Tokens)> _running = new();
        private long _hits;
        private long _asked;

        public bool Matching { get; init; } = true;

        public double HitShare => (double)_hits / _asked;

        public double BusiestOverMean => _done.Max() / _done.Average();

        public void Request(Random random, int conversation)
        {
            var hashes = Enumerable.Range(0, Blocks).Select(b => (ulong)(conversation * 1000 + b + 1) * 0x9E3779B97F4A7C15).ToArray();
            Span<PrefixMatch> matches = stackalloc PrefixMatch[4];
            var found = Matching ? _index.Match(hashes, matches) : 0;
            var request = new RoutingRequest { PromptTokens = Blocks * BlockTokens, PromptBlocks = Blocks, Matches = matches[..found] };
            var choice = Router.Choose(options ?? s_options, _replicas, request, (ulong)random.NextInt64()).Choice;
            _index.Record(hashes, choice.Slot);

            var cache = _caches[choice.Index];
            var hit = cache.Remove(conversation);
            cache.AddFirst(conversation);
            if (cache.Count > Remembered)
                cache.RemoveLast();
            _asked += Blocks;
            _hits += hit ? Blocks : 0;
            var work = 100 + (hit ? 0 : Blocks * BlockTokens);
            _replicas[choice.Index].Tokens += work;
            _done[choice.Index] += work;
            _running.Enqueue((choice.Index, work));
            if (_running.Count > replicas * 4)
            {
                var (index, tokens) = _running.Dequeue();
                _replicas[index].Tokens -= tokens;
            }
        }
    }
}
