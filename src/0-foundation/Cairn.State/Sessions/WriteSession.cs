using Cairn.State.Engines;

namespace Cairn.State;

/// <summary>Reads and writes rows within one work: all of it is kept, or none.</summary>
public sealed class WriteSession : ReadSession
{
    private List<RaisedSignal>? _signals;
    private List<Action>? _afterCommit;

    internal WriteSession(Link link, long nowMicros) : base(link)
    {
        NowMicros = nowMicros;
    }

    /// <summary>The time at which the work began, the same throughout it: microseconds since 1970, UTC.</summary>
    public long NowMicros { get; }

    public DateTimeOffset Now => Micros.ToTime(NowMicros);

    internal IReadOnlyList<RaisedSignal> Signals => _signals ?? [];

    internal IReadOnlyList<Action> AfterCommits => _afterCommit ?? [];

    /// <summary>Runs one statement; says how many rows it changed.</summary>
    public int Execute(string sql, object? args = null) => Link.Prepare(sql, args).Execute(args);

    /// <summary>Runs one statement once for each of <paramref name="rows"/>.</summary>
    public void ExecuteMany<T>(string sql, IReadOnlyList<T> rows) where T : notnull
    {
        foreach (var row in rows)
            Link.Prepare(sql, row).Execute(row);
    }

    /// <summary>Wakes those who wait for <paramref name="name"/>, on every server, once the work is durable; never if it fails.</summary>
    public void Signal(string name, string? payload = null) => (_signals ??= []).Add(RaisedSignal.Checked(name, payload));

    /// <summary>
    /// Runs once the work is durable, before its caller goes on: in the order of commits on SQLite, in no order between works on
    /// PostgreSQL. Must be short and must not throw; what it throws reaches the caller although the rows are kept.
    /// </summary>
    public void AfterCommit(Action action) => (_afterCommit ??= []).Add(action);

    /// <summary>Refuses the work unless the lease is still held under the fence's epoch.</summary>
    /// <exception cref="FenceLostException">Another holder took the lease, or it was released.</exception>
    public void RequireFence(Fence fence)
    {
        ArgumentNullException.ThrowIfNull(fence);
        const string held = "SELECT epoch FROM leases WHERE name = @Name AND holder = @Holder AND epoch = @Epoch";
        if (QuerySingleOrDefault<long?>(held, fence) is null)
            throw new FenceLostException(fence);
    }
}
