using System.Data.Common;
using NpgsqlTypes;

namespace Cairn.State.Engines;

/// <summary>What differs between SQLite and PostgreSQL; all else in the store is the same code over both.</summary>
internal abstract class Engine : IDisposable
{
    /// <summary>The system's name in telemetry (OpenTelemetry's <c>db.system.name</c>).</summary>
    public abstract string SystemName { get; }

    /// <summary>How many connections write at once.</summary>
    public abstract int Writers { get; }

    /// <summary>How many works one transaction takes well.</summary>
    public abstract int LargestBatch { get; }

    /// <summary>Begins a transaction that sees and changes rows as if it ran alone.</summary>
    public abstract string BeginWrite { get; }

    /// <summary>Begins a transaction that sees one state of all rows.</summary>
    public abstract string BeginRead { get; }

    /// <summary>Opens a connection and settles it for its use.</summary>
    /// <exception cref="StoreException">The database cannot be opened.</exception>
    public abstract DbConnection Connect(bool forWriting);

    public abstract DbParameter Parameter(string name, NpgsqlDbType type);

    /// <summary>Says what an error of the driver means; never repeats arguments, which may be secret.</summary>
    public abstract StoreException Translate(DbException error, string? sql);

    /// <summary>Whether the transaction begun on this connection still stands.</summary>
    public abstract bool IsInTransaction(DbConnection connection);

    /// <summary>Lets one migrating server through at a time, across servers, until the connection closes.</summary>
    public abstract void PrepareForMigration(Link link);

    /// <summary>Runs a batch that conflicted again, the <paramref name="time"/>-th time, one such batch at a time across servers.</summary>
    public abstract void RunAgain(Link link, int time, Action batch);

    /// <summary>Puts signals into the transaction, for other servers to get when it commits.</summary>
    public abstract void Announce(Link link, IReadOnlyCollection<RaisedSignal> signals);

    /// <summary>Brings other servers' signals until the store closes.</summary>
    public abstract void Listen(Signals signals, TimeProvider time);

    public abstract void Dispose();
}
