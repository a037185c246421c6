using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Nodes;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Fleet.Tests.Nodes;

public sealed class Health_is_silence
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly NodeOptions _options = new();
    private readonly FleetNodes _nodes;
    private readonly HealthReconciler _health;

    public Health_is_silence()
    {
        _nodes = new FleetNodes(_time);
        _health = new HealthReconciler(_nodes, _options, _time, NullLogger<HealthReconciler>.Instance);
    }

    [Fact]
    public void A_silent_node_is_unhealthy_then_lost_and_healthy_again_when_heard()
    {
        var node = Add("a");
        _nodes.Attached(node);
        var changes = _nodes.Subscribe();
        var heard = _time.GetUtcNow();

        Pass(seconds: 30);
        Assert.Equal(NodeHealth.Healthy, node.Health);
        Pass(seconds: 1);
        Assert.Equal(NodeHealth.Unhealthy, node.Health);
        Assert.Equal(NodeChange.Unhealthy, changes.Take()[node.Id]);
        Pass(seconds: 30);
        Assert.Equal(NodeHealth.Lost, node.Health);
        Assert.Equal(NodeChange.Lost, changes.Take()[node.Id]);
        Assert.Equal(heard, node.LastHeard(_time));

        Pass(seconds: 1000);
        Assert.Equal(NodeHealth.Lost, node.Health);
        node.Hear(_time.GetTimestamp());
        Pass(seconds: 1);
        Assert.Equal(NodeHealth.Healthy, node.Health);
        Assert.Equal(NodeChange.Returned, changes.Take()[node.Id]);
    }

    [Fact]
    public void A_node_that_speaks_in_time_stays_healthy()
    {
        var node = Add("a");
        _nodes.Attached(node);
        for (var i = 0; i < 100; i++)
        {
            Pass(seconds: 10);
            node.Hear(_time.GetTimestamp());
            Assert.Equal(NodeHealth.Healthy, node.Health);
        }
    }

    [Fact]
    public void After_the_start_of_the_server_nodes_get_the_whole_limit_whatever_their_rows_say()
    {
        var node = Add("a", seenBefore: _time.GetUtcNow().AddDays(-3));
        Assert.Equal(NodeHealth.Unhealthy, node.Health);
        Pass(seconds: 60);
        Assert.Equal(NodeHealth.Unhealthy, node.Health);
        Assert.Equal(_time.GetUtcNow().AddDays(-3).AddSeconds(-60), node.LastHeard(_time));
        Pass(seconds: 1);
        Assert.Equal(NodeHealth.Lost, node.Health);
    }

    [Fact]
    public void A_server_that_was_itself_stopped_loses_nobody()
    {
        var node = Add("a");
        _nodes.Attached(node);
        Pass(seconds: 5);
        _time.Advance(TimeSpan.FromHours(2));
        _health.Scan();
        Assert.Equal(NodeHealth.Healthy, node.Health);
        Pass(seconds: 61);
        Assert.Equal(NodeHealth.Lost, node.Health);
    }

    [Fact]
    public void A_node_heard_during_the_scan_is_not_lost()
    {
        var node = Add("a");
        _nodes.Attached(node);
        var heardAt = node.HeardAt;
        _time.Advance(TimeSpan.FromMinutes(5));
        node.Hear(_time.GetTimestamp());
        Assert.False(_nodes.SetHealth(node, NodeHealth.Lost, heardAt));
        Assert.Equal(NodeHealth.Healthy, node.Health);
    }

    [Fact]
    public async Task Changes_of_a_node_are_merged_until_one_looks()
    {
        var changes = _nodes.Subscribe();
        var node = Add("a", joined: true);
        _nodes.Attached(node);
        Pass(seconds: 31);
        Pass(seconds: 31);
        await changes.WaitAsync(TestContext.Current.CancellationToken);
        var (id, change) = Assert.Single(changes.Take());
        Assert.Equal(node.Id, id);
        Assert.Equal(NodeChange.Joined | NodeChange.Attached | NodeChange.Returned | NodeChange.Unhealthy | NodeChange.Lost, change);
        Assert.Empty(changes.Take());
    }

    [Fact]
    public void Health_depends_on_silence_and_only_being_heard_improves_it() =>
        Gen.Select(Gen.Int[0, 200], Gen.Enum<NodeHealth>(), Gen.Bool).Sample((silent, before, heard) =>
        {
            var after = HealthDecision.Of(before, TimeSpan.FromSeconds(silent), heard, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
            var expected = silent > 60 || (silent > 30 && before == NodeHealth.Lost) ? NodeHealth.Lost
                : silent > 30 ? NodeHealth.Unhealthy
                : heard ? NodeHealth.Healthy : before;
            return after == expected;
        });

    /// <summary>Lets time pass with a scan each second, as the server does.</summary>
    private void Pass(int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _health.Scan();
        }
    }

    private FleetNode Add(string name, DateTimeOffset? seenBefore = null, bool joined = false)
    {
        var node = new FleetNode(NodeId.New(_time.GetUtcNow()), name, new byte[32], TestFacts.Of(new Declaration()),
            _time.GetUtcNow()) { SeenBefore = seenBefore };
        _nodes.Add(node, joined);
        return node;
    }
}

internal static class TestFacts
{
    public static Inventory Machine(int gpus = 0) => new()
    {
        Cpus = 8, MemoryBytes = 32L << 30, DiskBytes = 100L << 30, Architecture = "x64",
        Devices = { Enumerable.Range(0, gpus)
            .Select(i => new Device { Index = i, Name = "H100-SXM-80GB", Vendor = "NVIDIA", MemoryBytes = 80L << 30 }) },
    };

    public static NodeFacts Of(Declaration declared, Inventory? found = null)
    {
        var (facts, problem) = NodeDeclaration.Read(declared, found ?? Machine());
        return facts ?? throw new ArgumentException(problem!.Message);
    }
}
