using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Cairn.State.Engines;

/// <summary>A database that servers share. Transactions are serialisable, so a work means the same as on SQLite.</summary>
internal sealed class PostgresEngine : Engine
{
    /// <summary>Advisory locks are numbers shared by all users of a database; these spell "cairn" and a purpose.</summary>
    private const long MigrationLock = 0x636169726e01;
    private const long ConflictLock = 0x636169726e02;

    private readonly StoreOptions _options;
    private readonly string _connectionString;
    private readonly string _serverName;
    private readonly string _serverId = Guid.CreateVersion7().ToString("N");
    private PostgresListener? _listener;

    public PostgresEngine(StoreOptions options)
    {
        _options = options;
        var address = PostgresAddress.Parse(options.Database);
        address.Pooling = false;
        address.Enlist = false;
        address.CommandTimeout = (int)options.StatementTimeout.TotalSeconds;
        address.ApplicationName ??= "cairn";
        _connectionString = address.ToString();
        _serverName = $"{address.Host}:{address.Port}/{address.Database ?? address.Username}";
    }

    public override string SystemName => "postgresql";

    public override int Writers => _options.PostgresWriters;

    /// <summary>
    /// A backend remembers 64 subtransactions of a transaction in shared memory; beyond that every snapshot has to look them up on disk
    /// (PGPROC_MAX_CACHED_SUBXIDS). And a batch that conflicts runs again as a whole.
    /// </summary>
    public override int LargestBatch => 60;

    public override string BeginWrite => "BEGIN ISOLATION LEVEL SERIALIZABLE";

    public override string BeginRead => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    public override DbConnection Connect(bool forWriting)
    {
        var connection = new NpgsqlConnection(_connectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch (Exception error) when (error is NpgsqlException or SocketException or TimeoutException)
        {
            connection.Dispose();
            throw new StoreException(StoreFault.Unavailable, $"The PostgreSQL database {_serverName} cannot be reached: {error.Message}",
                error);
        }
    }

    public override DbParameter Parameter(string name, NpgsqlDbType type) =>
        new NpgsqlParameter { ParameterName = name, NpgsqlDbType = type };

    public override StoreException Translate(DbException error, string? sql)
    {
        var where = sql is null ? "" : $" In: {sql}";
        if (error is not PostgresException server)
        {
            var lost = error.InnerException is TimeoutException ? StoreFault.Busy : StoreFault.Unavailable;
            return new StoreException(lost, $"The PostgreSQL database {_serverName} did not answer: {error.Message}{where}", error)
            {
                OutcomeUnknown = sql == "COMMIT",
            };
        }
        var fault = server.SqlState switch
        {
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected => StoreFault.Conflict,
            PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled => StoreFault.Busy,
            PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => StoreFault.Corrupt,
            _ when server.SqlState.StartsWith("23", StringComparison.Ordinal) => StoreFault.Constraint,
            _ when server.SqlState.StartsWith("53", StringComparison.Ordinal) => StoreFault.Full,
            _ when server.SqlState.StartsWith("08", StringComparison.Ordinal) => StoreFault.Unavailable,
            _ when server.SqlState.StartsWith("57", StringComparison.Ordinal) => StoreFault.Unavailable,
            _ when server.SqlState.StartsWith("58", StringComparison.Ordinal) => StoreFault.Unavailable,
            _ => StoreFault.Statement,
        };
        return new StoreException(fault,
            $"The PostgreSQL database {_serverName} refused: {server.MessageText} ({server.SqlState}).{where}", error);
    }

    /// <summary>Npgsql does not say; a connection that stands keeps its transaction, failed or not, until told to end it.</summary>
    public override bool IsInTransaction(DbConnection connection) => true;

    public override void PrepareForMigration(Link link)
    {
        link.Script($"SELECT pg_advisory_lock({MigrationLock})");
        link.Script(JsonOfText);
    }

    /// <summary>
    /// The lock is taken before the transaction, whose view of the rows must not be older than the lock. The pause, doubling from 1 ms to
    /// 256 ms, lets the other transaction end: one that waits for the disk in its COMMIT makes whoever meets it fail until it is through.
    /// </summary>
    public override void RunAgain(Link link, int time, Action batch)
    {
        var seconds = (1 << Math.Min(time - 1, 8)) / 1000.0;
        link.Script(string.Create(CultureInfo.InvariantCulture, $"SELECT pg_sleep({seconds}); SELECT pg_advisory_lock({ConflictLock})"));
        try
        {
            batch();
        }
        finally
        {
            if (link.TryRollback())
                link.Script($"SELECT pg_advisory_unlock({ConflictLock})");
        }
    }

    public override void Announce(Link link, IReadOnlyCollection<RaisedSignal> signals)
    {
        foreach (var signal in signals)
        {
            var note = new { channel = PostgresListener.Channel, note = PostgresListener.Write(_serverId, signal) };
            link.Prepare("SELECT 1 FROM pg_notify(@channel, @note)", note).Execute(note);
        }
    }

    public override void Listen(Signals signals, TimeProvider time) =>
        _listener = new PostgresListener(_connectionString, _serverId, signals, time);

    public override void Dispose() => _listener?.Dispose();

    /// <summary>SQLite's <c>text -&gt;&gt; 'name'</c>, which PostgreSQL has for json only.</summary>
    private const string JsonOfText =
        """
        CREATE OR REPLACE FUNCTION cairn_json_text(document TEXT, name TEXT) RETURNS TEXT LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
            AS 'SELECT document::json ->> name';
        DO $$ BEGIN
            CREATE OPERATOR ->> (LEFTARG = TEXT, RIGHTARG = TEXT, FUNCTION = cairn_json_text);
        EXCEPTION WHEN duplicate_function THEN NULL;
        END $$;
        """;
}
