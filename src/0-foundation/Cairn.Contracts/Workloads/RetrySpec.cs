namespace Cairn.Contracts.Workloads;

/// <summary>What is tried again after a failure.</summary>
public sealed record RetrySpec
{
    /// <summary>
    /// Further attempts after the first failed by itself, 0 to 1000; a lost or reclaimed machine does not count. Default 0.
    /// </summary>
    public int Max { get; init; }

    /// <summary>Exit codes that are retried; empty retries every failure.</summary>
    public IReadOnlyList<int> OnExitCodes { get; init; } = [];

    /// <summary>What is started again when some ranks of a gang are lost.</summary>
    public RestartPolicy Restart { get; init; } = RestartPolicy.Gang;

    /// <summary>Further attempts after lost machines, 0 to 1000. Default 10.</summary>
    public int MaxLost { get; init; } = 10;

    /// <summary>What a node does with a task whose lease it cannot renew.</summary>
    public DisconnectedPolicy Disconnected { get; init; } = DisconnectedPolicy.Continue;
}

public enum RestartPolicy
{
    /// <summary>All ranks stop and start again from the checkpoint.</summary>
    Gang,

    /// <summary>Only the lost ranks are replaced; the others are told and go on.</summary>
    Lost,
}

public enum DisconnectedPolicy
{
    /// <summary>Go on working, report later; if the job was placed again meanwhile, the late results are refused by epoch.</summary>
    Continue,

    /// <summary>Stop when the lease runs out, so that never two attempts work at once.</summary>
    Stop,
}
