using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Fleet.Link;
using Cairn.State;

namespace Cairn.Fleet.Nodes;

/// <summary>Which nodes a listing wants; null wants all.</summary>
internal sealed record NodeFilter(string? Pool, NodeHealth? Health, NodePhase? Phase, string? Provider, string? Region)
{
    public bool Matches(FleetNode node) =>
        (Health is null || node.Health == Health) && (Phase is null || node.Phase == Phase)
        && Same(Pool, node.Facts.Pool) && Same(Provider, node.Facts.Provider) && Same(Region, node.Facts.Region.Name);

    private static bool Same(string? wanted, string value) => wanted is null || string.Equals(wanted, value, StringComparison.Ordinal);
}

/// <summary>Nodes as the API shows them.</summary>
internal sealed class NodeViews(FleetNodes nodes, INodeWork work, NodeOffers offers, Store store, TimeProvider time)
{
    /// <summary>Nodes by name, after the one that <paramref name="cursor"/> names.</summary>
    public Page<NodeView> List(NodeFilter filter, string? cursor, int limit)
    {
        var all = nodes.InNameOrder();
        var items = new List<NodeView>();
        for (var i = FirstAfter(all, cursor); i < all.Count; i++)
        {
            if (!filter.Matches(all[i]))
                continue;
            if (items.Count == limit)
                return new Page<NodeView>(items, items[^1].Name);
            items.Add(View(all[i]));
        }
        return new Page<NodeView>(items, null);
    }

    /// <summary>One node with what was found in it and what runs there.</summary>
    public async Task<NodeView> DetailAsync(FleetNode node, CancellationToken cancellationToken)
    {
        var tasks = await work.TasksOnAsync(node.Id, cancellationToken);
        var row = await store.ReadAsync(session => NodeRows.ById(session, node.Id), cancellationToken);
        var found = row is null ? new Contracts.Wire.Inventory() : NodeRows.Inventory(row.Inventory);
        return View(node) with
        {
            Detail = new NodeDetailView
            {
                Hostname = found.Hostname,
                OperatingSystem = found.OperatingSystem,
                Architecture = found.Architecture,
                CpuModel = found.CpuModel,
                CpuFeatures = [.. found.CpuFeatures],
                Fp32Flops = found.Benchmark?.Fp32Flops ?? 0,
                MemoryBytesPerSecond = found.Benchmark?.MemoryBytesPerSecond ?? 0,
                DiskBytesPerSecond = found.Benchmark?.DiskBytesPerSecond ?? 0,
                Tasks = tasks,
            },
        };
    }

    private NodeView View(FleetNode node)
    {
        var facts = node.Facts;
        var use = work.UseOf(node.Id);
        var devices = facts.Devices.GroupBy(d => d.Name).Select(g => $"{g.Key}:{g.Count()}");
        return new NodeView
        {
            Id = node.Id,
            Name = node.Name,
            Phase = node.Phase,
            Health = node.Health,
            Connected = node.Connected,
            Pool = facts.Pool,
            Provider = facts.Provider,
            DeploymentModel = facts.DeploymentModel,
            Region = facts.Region.Name,
            InstanceType = facts.InstanceType,
            PricePerHour = offers.PriceOf(node),
            Accelerators = facts.Devices.Count > 0 ? string.Join(",", devices) : null,
            AcceleratorsTotal = facts.Devices.Count,
            AcceleratorsFree = Math.Max(0, facts.Devices.Count - use.Accelerators),
            CpusTotal = facts.Cpus,
            CpusFree = Math.Max(0, facts.Cpus - use.Cpus),
            MemoryBytesTotal = facts.MemoryBytes,
            MemoryBytesFree = Math.Max(0, facts.MemoryBytes - use.MemoryBytes),
            DiskBytesTotal = facts.DiskBytes,
            Simulated = facts.Simulated,
            Labels = facts.Labels.Count > 0 ? facts.Labels : null,
            Certifications = facts.Certifications.Count > 0 ? facts.Certifications : null,
            JoinedAt = node.JoinedAt,
            LastSeenAt = node.LastHeard(time),
            DaemonVersion = node.DaemonVersion,
        };
    }

    private static int FirstAfter(IReadOnlyList<FleetNode> inNameOrder, string? cursor)
    {
        if (cursor is null)
            return 0;
        var (low, high) = (0, inNameOrder.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (string.CompareOrdinal(inNameOrder[middle].Name, cursor) <= 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
