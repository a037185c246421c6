using System.Runtime.InteropServices;

namespace Cairn.Planning.Scheduling;

/// <summary>
/// Finds room for one gang, whole or not at all. Exact for what it asks: tasks of a gang are equal, so filling each node to its brim
/// finds room wherever there is some. Every chosen node leaves the index until the gang is decided, so no node is looked at twice.
/// </summary>
internal sealed class GangPlacer(GrantTable grants)
{
    private readonly List<Node> _chosen = [];
    private readonly List<Node> _survivors = [];
    private readonly List<int> _taken = [];
    private readonly List<int> _choices = [];
    private PlacementRequest _request = null!;
    private bool _spread;
    private bool _compact;

    /// <summary>The tasks where there was room, in the order of the ranks; null where there was none, with nothing changed.</summary>
    public TaskPlacement[]? TryPlace(CompiledShape shape, PlacementRequest request)
    {
        _request = request;
        _spread = shape.Shape.Spread;
        _compact = shape.OneDomain;
        var domain = SetSurvivorsAside(request.Key, shape.Shape);
        var placed = false;
        foreach (var step in shape.Steps)
        {
            placed = TryGroups(step, shape.Shape.Tasks, domain);
            if (placed)
                break;
        }

        var tasks = placed ? Tasks() : null;
        Relink(_chosen);
        Relink(_survivors);
        _taken.Clear();
        _choices.Clear();
        return tasks;
    }

    /// <summary>
    /// Where ranks join a gang that still holds others: its nodes leave the index for a spread shape, and the domain to keep to is
    /// returned.
    /// </summary>
    private string? SetSurvivorsAside(Guid key, PlacementShape shape)
    {
        string? domain = null;
        for (var slot = grants.FirstOf(key); slot >= 0; slot = grants[slot].NextInGang)
        {
            var node = grants[slot].Node;
            domain = shape.SameDomain ? node.Cell.Domain : null;
            if (shape.Spread && node.Row >= 0)
                SetAside(node, _survivors);
        }

        return domain;
    }

    /// <summary>The group with the least room that holds the gang comes first, so that larger rooms stay whole.</summary>
    private bool TryGroups(List<PlaceGroup> groups, int tasks, string? domain)
    {
        var (lastRoom, lastAt) = (-1L, -1);
        while (true)
        {
            var (room, at) = (long.MaxValue, -1);
            for (var i = 0; i < groups.Count; i++)
            {
                var here = RoomIn(groups[i], domain);
                if (here >= tasks && here < room && (here > lastRoom || (here == lastRoom && i > lastAt)))
                    (room, at) = (here, i);
            }

            if (at < 0)
                return false;
            if (TryGroup(groups[at], tasks, domain))
                return true;
            (lastRoom, lastAt) = (room, at);
        }
    }

    /// <summary>How many tasks fit by devices alone, or a very large number where devices do not bound them.</summary>
    private long RoomIn(PlaceGroup group, string? domain)
    {
        var room = 0L;
        foreach (ref readonly var place in CollectionsMarshal.AsSpan(group.Places))
        {
            var need = place.Need;
            if (domain is not null && !place.Cell.Domain.Equals(domain, StringComparison.Ordinal))
                continue;
            if (need.Share > 0)
                room += place.Cell.Rows >> 1 != 0 || place.Cell.Shares >> Cell.ShareBucketOf(need.Share) != 0 ? int.MaxValue : 0;
            else if (need.Devices == 0 && !_spread)
                room += place.Cell.Rows != 0 ? int.MaxValue : 0;
            else
                room += place.Cell.RoomFor(need.Devices, _spread);
        }

        return room;
    }

    private bool TryGroup(PlaceGroup group, int tasks, string? domain)
    {
        var places = CollectionsMarshal.AsSpan(group.Places);
        for (var left = tasks; left > 0;)
        {
            if (NodeSearch.Next(places, new NodeWish(_spread ? 1 : left, _compact, domain), out var at) is not { } node)
            {
                Undo();
                return false;
            }

            SetAside(node, _chosen);
            do
                Take(node, places[at]);
            while (--left > 0 && !_spread && Fit.On(node, places[at]));
        }

        return true;
    }

    private void Take(Node node, in Place place)
    {
        var need = place.Need.Need;
        var at = _taken.Count;
        _taken.Add(grants.Add(new Grant
        {
            Key = _request.Key,
            Node = node,
            Rank = _request.Ranks is { } ranks ? ranks[at] : at,
            Devices = Fit.Devices(node, place),
            Milli = need.AcceleratorMilli,
            Cpu = need.CpuMillis,
            Memory = need.MemoryBytes,
            Disk = need.DiskBytes,
        }));
        _choices.Add(place.Choice);
    }

    private void Undo()
    {
        for (var i = _taken.Count - 1; i >= 0; i--)
            grants.Remove(_taken[i]);
        _taken.Clear();
        _choices.Clear();
        Relink(_chosen);
    }

    private TaskPlacement[] Tasks()
    {
        var tasks = new TaskPlacement[_taken.Count];
        for (var i = 0; i < tasks.Length; i++)
        {
            ref readonly var grant = ref grants[_taken[i]];
            tasks[i] = new TaskPlacement(grant.Rank, grant.Node.Handle, _choices[i], grant.Devices, grant.Milli);
        }

        return tasks;
    }

    private static void SetAside(Node node, List<Node> list)
    {
        node.Cell.Unlink(node);
        list.Add(node);
    }

    private static void Relink(List<Node> list)
    {
        foreach (var node in list)
            node.Cell.Link(node);
        list.Clear();
    }
}
