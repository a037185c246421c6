using Cairn.Fleet.Link;
using Cairn.Fleet.Logs;
using Cairn.Fleet.Nodes;

namespace Cairn.Fleet;

/// <summary>How the fleet runs jobs.</summary>
public sealed class FleetOptions
{
    /// <summary>
    /// The key that seals secrets in rows, a file of mode 0600 that is made where missing. Losing it loses the secrets of live jobs.
    /// </summary>
    public required string SecretKeyFile { get; init; }

    /// <summary>
    /// How long a task whose policy is to stop when disconnected goes on without hearing from the server, 15 s to 1 day; default 60.
    /// Longer survives longer outages and delays the next attempt as much.
    /// </summary>
    public int LeaseSeconds { get; init; } = 60;

    /// <summary>
    /// How often running leases are charged, 1 s to 1 min; default 1 min. What is charged in total does not depend on it; the money held
    /// in advance does.
    /// </summary>
    public TimeSpan MeterInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest that a wait for a job may take in one request, 1 s to 10 min; default 1 min.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How nodes reach the server.</summary>
    public NodeLinkOptions Link { get; init; } = new();

    /// <summary>How the silence of nodes is judged.</summary>
    public NodeOptions Nodes { get; init; } = new();

    /// <summary>Where logs are kept, and for how long.</summary>
    public LogOptions Logs { get; init; } = new();

    /// <summary>Everything that is wrong with these options, one sentence each; empty when they are good.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(SecretKeyFile))
            errors.Add("SecretKeyFile is empty; give the path of a file in the data folder.");
        if (LeaseSeconds is < 15 or > 86_400)
            errors.Add($"LeaseSeconds is {LeaseSeconds}; expected 15 to 86400.");
        if (MeterInterval < TimeSpan.FromSeconds(1) || MeterInterval > TimeSpan.FromMinutes(1))
            errors.Add($"MeterInterval is {MeterInterval}; expected 1 s to 1 min.");
        if (LongestWait < TimeSpan.FromSeconds(1) || LongestWait > TimeSpan.FromMinutes(10))
            errors.Add($"LongestWait is {LongestWait}; expected 1 s to 10 min.");
        return [.. errors, .. Link.Validate(), .. Nodes.Validate(), .. Logs.Validate()];
    }
}
