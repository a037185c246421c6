namespace Cairn.State;

/// <summary>
/// Named leases, kept in rows. One holder has a lease until it expires or is released; each change of holder raises its epoch. Expiry is
/// judged by each server's own clock, so clocks that differ by more than the lease's time cost availability, never safety.
/// </summary>
public sealed class Leases
{
    private readonly Store _store;

    internal Leases(Store store)
    {
        _store = store;
    }

    /// <summary>Takes a lease that is free, expired or already this holder's; null when another has it.</summary>
    public Task<Fence?> AcquireAsync(string name, string holder, TimeSpan time, CancellationToken cancellationToken) =>
        _store.WriteAsync(session => Acquire(session, name, holder, time), cancellationToken);

    /// <summary>The same within a work.</summary>
    public static Fence? Acquire(WriteSession session, string name, string holder, TimeSpan time)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(holder);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        var epoch = session.QuerySingleOrDefault<long?>(
            """
            INSERT INTO leases (name, holder, epoch, expires_at) VALUES (@name, @holder, 1, @expires)
            ON CONFLICT (name) DO UPDATE SET
                epoch = leases.epoch + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END,
                holder = excluded.holder,
                expires_at = excluded.expires_at
            WHERE leases.holder = excluded.holder OR leases.expires_at <= @now
            RETURNING epoch
            """,
            new { name, holder, expires = session.NowMicros + Micros.Of(time), now = session.NowMicros });
        return epoch is null ? null : new Fence(name, holder, epoch.Value);
    }

    /// <summary>Holds a lease for longer; false when it is lost.</summary>
    public Task<bool> RenewAsync(Fence fence, TimeSpan time, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        return _store.WriteAsync(
            session => session.Execute(
                "UPDATE leases SET expires_at = @expires WHERE name = @name AND holder = @holder AND epoch = @epoch",
                new { fence.Name, fence.Holder, fence.Epoch, expires = session.NowMicros + Micros.Of(time) }) == 1,
            cancellationToken);
    }

    /// <summary>Gives a lease back, so that anyone may take it at once; does nothing when it is lost.</summary>
    public Task ReleaseAsync(Fence fence, CancellationToken cancellationToken) => _store.WriteAsync(
        session =>
        {
            session.Execute("UPDATE leases SET holder = '', expires_at = 0 WHERE name = @Name AND holder = @Holder AND epoch = @Epoch",
                fence);
            session.Signal(SignalOf(fence.Name));
        },
        cancellationToken);

    /// <summary>The signal that a lease was given back.</summary>
    internal static string SignalOf(string name) => "lease:" + name;
}
