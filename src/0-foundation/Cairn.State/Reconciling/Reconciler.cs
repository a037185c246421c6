namespace Cairn.State;

/// <summary>How one reconciler runs.</summary>
/// <param name="Name">What it is called in logs and metrics: <c>placement</c>.</param>
/// <param name="ReconcileAsync">
/// One turn: reads the rows of one state, decides, writes the next. Idempotent; takes the fence to write under (null without
/// <see cref="OnlyLeader"/>, and where no server shares the database) and a token that fires when the server stops or leads no more.
/// </param>
public sealed record Reconciler(string Name, Func<Fence?, CancellationToken, Task> ReconcileAsync)
{
    /// <summary>The signal that wakes it; by default its name.</summary>
    public string Signal { get; init; } = Name;

    /// <summary>
    /// How long it rests without a signal; more than zero; default 5 s. Shorter finds missed signals sooner and costs idle work.
    /// </summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether, of the servers that share a database, only the one that leads runs it; default false.</summary>
    public bool OnlyLeader { get; init; }
}
