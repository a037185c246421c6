using System.Globalization;
using Cairn.Planning.Scheduling;

namespace Cairn.Planning.Tests.Scheduling;

/// <summary>Short words for building nodes and requests in tests.</summary>
internal static class Requests
{
    public const long Gigabyte = 1_000_000_000;

    private static readonly DeviceShape s_h100 = new("H100-SXM-80GB", "nvidia", 80 * Gigabyte, 1);

    public static Guid Key(int number) => new(number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    public static NodeShape Node(
        int gpus = 8, string nodeClass = "a", string domain = "d", int cpus = 96, int memoryGb = 1000, string? label = null) => new()
    {
        NodeClass = nodeClass,
        Domain = domain,
        CpuMillis = cpus * 1000,
        MemoryBytes = memoryGb * Gigabyte,
        DiskBytes = 1000 * Gigabyte,
        Devices = gpus == 0 ? [] : [s_h100 with { Count = gpus }],
        Labels = label is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["team"] = label },
    };

    public static TaskNeed Need(double gpus = 1, double cpus = 1, string? label = null) => new()
    {
        AcceleratorMilli = (int)(gpus * 1000),
        CpuMillis = (long)(cpus * 1000),
        MemoryBytes = Gigabyte,
        NodeLabels = label is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["team"] = label },
    };

    public static PlacementShape Shape(
        double gpus = 1, int tasks = 1, string classes = "a", double cpus = 1, bool spread = false, bool sameDomain = false,
        bool mix = false, string? label = null)
    {
        var need = Need(gpus, cpus, label);
        return new PlacementShape
        {
            Tasks = tasks,
            Spread = spread,
            SameDomain = sameDomain,
            MixClasses = mix,
            Choices = [.. classes.Split(',').Select(name => new PlacementChoice(name, need))],
        };
    }

    public static PlacementRequest Request(
        int key, PlacementShape shape, int priority = 50, long? sequence = null, long at = 0, int[]? ranks = null) => new()
    {
        Key = Key(key),
        Shape = shape,
        Priority = priority,
        Sequence = sequence ?? key,
        SubmittedAtMicros = at,
        Ranks = ranks,
    };

    /// <summary>Submits and decides at once; null where it waits, and then it is withdrawn.</summary>
    public static TaskPlacement[]? TryPlace(this SchedulerState state, PlacementRequest request) => state.TryPlaceAt(0, request);

    public static TaskPlacement[]? TryPlaceAt(this SchedulerState state, long nowMicros, PlacementRequest request)
    {
        state.Submit(request);
        var round = state.Decide(nowMicros);
        if (round.Placements.FirstOrDefault(placement => placement.Request.Key == request.Key) is { } placed)
            return placed.Tasks;
        state.Withdraw(request.Key);
        return null;
    }

    public static string Nodes(this TaskPlacement[]? tasks) =>
        tasks is null ? "waits" : string.Join(' ', tasks.Select(task => task.Node.ToString(CultureInfo.InvariantCulture)));
}
