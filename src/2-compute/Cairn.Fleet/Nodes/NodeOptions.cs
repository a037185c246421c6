namespace Cairn.Fleet.Nodes;

/// <summary>How silence is judged.</summary>
public sealed class NodeOptions
{
    /// <summary>
    /// How often a node speaks when it has nothing to say, in seconds; 1 to 300, default 10. Told to each node when it attaches.
    /// </summary>
    public int HeartbeatSeconds { get; set; } = 10;

    /// <summary>Silence after which a node takes no new work, in seconds; more than the heartbeat, default 30.</summary>
    public int UnhealthyAfterSeconds { get; set; } = 30;

    /// <summary>
    /// Silence after which a node is lost and its leases are void, in seconds; more than <see cref="UnhealthyAfterSeconds"/>, default 60.
    /// Too short, and a restarted switch moves every job; too long, and a gang waits for a dead machine.
    /// </summary>
    public int LostAfterSeconds { get; set; } = 60;

    /// <summary>How often silence is looked at, in seconds; 1 to 60, default 1.</summary>
    public int ScanSeconds { get; set; } = 1;

    /// <summary>Everything that is wrong with these options, one sentence each; empty when they are good.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (HeartbeatSeconds is < 1 or > 300)
            errors.Add($"HeartbeatSeconds is {HeartbeatSeconds}; expected 1 to 300.");
        if (UnhealthyAfterSeconds <= HeartbeatSeconds)
            errors.Add($"UnhealthyAfterSeconds is {UnhealthyAfterSeconds}; expected more than HeartbeatSeconds ({HeartbeatSeconds}).");
        if (LostAfterSeconds <= UnhealthyAfterSeconds)
            errors.Add($"LostAfterSeconds is {LostAfterSeconds}; expected more than UnhealthyAfterSeconds ({UnhealthyAfterSeconds}).");
        if (ScanSeconds is < 1 or > 60)
            errors.Add($"ScanSeconds is {ScanSeconds}; expected 1 to 60.");
        return errors;
    }
}
