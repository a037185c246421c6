using Cairn.Fleet.Jobs;
using Cairn.Fleet.Nodes;
using Cairn.State;

namespace Cairn.Fleet;

/// <summary>Every table of the fleet, each area with numbers of its own.</summary>
public static class FleetMigrations
{
    public static IReadOnlyList<Migration> All { get; } = [.. JobMigrations.All, .. NodeMigrations.All];
}
