using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Tests.Jobs;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Fleet.Tests.Nodes;

/// <summary>A server that begins to lead takes the nodes as the rows have them: what it knew is of the time before.</summary>
public sealed class Another_server_led_before
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 8, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Nodes_that_came_are_there_those_that_went_are_gone_and_silence_begins_anew()
    {
        var nodes = new FleetNodes(_time);
        var (stays, goes, comes) = (NodeId.New(_time.Start), NodeId.New(_time.Start), NodeId.New(_time.Start));
        nodes.Add(Node(stays, "stays"), joined: false);
        nodes.Add(Node(goes, "again"), joined: false);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(nodes.SetHealth(nodes.Find(stays)!, NodeHealth.Lost, nodes.Find(stays)!.HeardAt));

        Assert.True(nodes.TryTakeOver([Node(stays, "stays", devices: 2, NodePhase.Cordoned), Node(comes, "again")], nodes.RowChanges));
        Assert.Null(nodes.Find(goes));
        Assert.Equal(comes, nodes.FindByName("again")!.Id);
        var node = nodes.Find(stays)!;
        Assert.Equal((NodeHealth.Unhealthy, NodePhase.Cordoned, 2), (node.Health, node.Phase, node.Facts.Devices.Count));
        Assert.Equal(TimeSpan.Zero, _time.GetElapsedTime(node.HeardAt));
        Assert.Equal(2, nodes.Classes().Classes.Count);
    }

    [Fact]
    public void Rows_that_were_read_before_a_change_are_not_taken()
    {
        var nodes = new FleetNodes(_time);
        var before = nodes.RowChanges;
        var joined = NodeId.New(_time.Start);
        nodes.Add(Node(joined, "joined"), joined: true);
        Assert.False(nodes.TryTakeOver([], before));
        Assert.NotNull(nodes.Find(joined));
    }

    private FleetNode Node(NodeId id, string name, int devices = 0, NodePhase phase = NodePhase.Active) =>
        new(id, name, new byte[32], World.Machine(devices: devices), _time.Start) { Phase = phase };
}
